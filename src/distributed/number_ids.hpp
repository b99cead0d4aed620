// Ids of any size as the nodes 0, 1, … in ascending order of the ids, over processes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"

namespace parsimony::distributed {

/// The distinct ids of all processes, sorted; each process has a range of them.
struct IdTable {
  std::vector<std::int64_t> own;        ///< this process's part, ascending
  std::vector<std::int64_t> begins{0};  ///< node of the first id of each process, and the number of nodes
  std::int64_t nodes() const { return begins.back(); }

  /// The ids of ascending nodes. Collective.
  std::vector<std::int64_t> names(const Communicator& communicator,
                                  std::span<const std::int32_t> nodes) const;
};

/// Replaces ids by nodes: a sort by samples, which sends each distinct id of a process once to the process
/// that numbers it. O(n log n) time for n ids in a process. Throws unsupported above 2^31 − 1 distinct ids,
/// in all processes. Collective.
struct NumberedIds {
  std::vector<std::int32_t> nodes;  ///< one for each id given
  IdTable table;
};
NumberedIds number_ids(const Communicator& communicator, std::span<const std::int64_t> ids);

}  // namespace parsimony::distributed
