// Ids, integers or words, as the nodes 0, 1, … in ascending order of the ids, over processes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "distributed/communicator.hpp"
#include "graph/assemble.hpp"

namespace parsimony::distributed {

/// The distinct ids of all processes, sorted; each process has a range of them.
template <class Id>
struct IdTable {
  using Name = std::conditional_t<std::is_same_v<Id, std::string_view>, std::string, std::int64_t>;
  std::vector<Name> own;                ///< this process's part, ascending
  std::vector<std::int64_t> begins{0};  ///< node of the first id of each process, and the number of nodes
  std::int64_t nodes() const { return begins.back(); }

  /// The ids of these nodes, the same in all processes. Collective.
  std::vector<std::string> names(const Communicator& communicator, std::span<const std::int32_t> nodes) const;
};

template <class Id>
struct NumberedIds {
  std::vector<graph::EntryBlock> blocks;  ///< one for each piece, an entry for each two ids
  IdTable<Id> table;
};

/// Replaces ids by nodes. Integers in a narrow range are looked up in a bitmap of it, which all processes
/// have; other ids are sorted by samples: each distinct id of a process goes once to the process that numbers
/// it. O(n) time and 6 bytes per id for a bitmap; O(n log n) for n ids in a process otherwise. Throws
/// unsupported above 2^31 − 1 distinct ids and memory_limit, in all processes. Collective.
template <class Id>
NumberedIds<Id> number_ids(const Communicator& communicator, std::vector<std::vector<Id>> pieces,
                           const graph::MemoryBudget& budget, const Context& context);

extern template struct IdTable<std::int64_t>;
extern template struct IdTable<std::string_view>;
extern template NumberedIds<std::int64_t> number_ids(const Communicator&,
                                                     std::vector<std::vector<std::int64_t>>,
                                                     const graph::MemoryBudget&, const Context&);
extern template NumberedIds<std::string_view> number_ids(const Communicator&,
                                                         std::vector<std::vector<std::string_view>>,
                                                         const graph::MemoryBudget&, const Context&);

}  // namespace parsimony::distributed
