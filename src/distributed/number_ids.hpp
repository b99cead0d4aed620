// Integer ids as the nodes 0, 1, … in ascending order of the ids, over processes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "graph/assemble.hpp"

namespace parsimony::distributed {

/// The distinct ids of all processes, sorted; each process has a range of them.
struct IdTable {
  std::vector<std::int64_t> own;        ///< this process's part, ascending
  std::vector<std::int64_t> begins{0};  ///< node of the first id of each process, and the number of nodes
  std::int64_t nodes() const { return begins.back(); }

  /// The ids of these nodes, the same in all processes. Collective.
  std::vector<std::string> names(const Communicator& communicator, std::span<const std::int32_t> nodes) const;
};

struct NumberedIds {
  std::vector<graph::EntryBlock> blocks;  ///< one for each piece, an entry for each two ids
  IdTable table;
};

/// Replaces ids by nodes. Ids in a narrow range are looked up in a bitmap of it, which all processes
/// have; others are sorted by samples: each distinct id of a process goes once to the process that numbers
/// it. O(n) time and 6 bytes per id for a bitmap; O(n log n) for n ids in a process otherwise. Throws
/// unsupported above 2^31 − 1 distinct ids and memory_limit, in all processes. Collective.
NumberedIds number_ids(const Communicator& communicator, std::vector<std::vector<std::int64_t>> pieces,
                       const graph::MemoryBudget& budget, const Context& context);

}  // namespace parsimony::distributed
