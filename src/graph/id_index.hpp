// The ids of a file, integers or words, as the nodes 0, 1, … in ascending order of the ids.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graph/assemble.hpp"
#include "graph/ranked_bits.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

/// Words are views into the file's text, which must live as long.
template <class Id>
class IdIndex {
 public:
  /// Indexes all ids in the pieces, which may repeat. Throws unsupported above 2^31 − 1 distinct ids, and
  /// memory_limit.
  IdIndex(const std::vector<std::vector<Id>>& pieces, const MemoryBudget& budget, const Context& context);

  /// The node of an id that was in the pieces.
  std::int32_t operator[](Id id) const;
  std::int64_t size() const { return size_; }
  /// The distinct ids, ascending.
  std::vector<Id> distinct() const;
  NodeIds names() const;

 private:
  void mark(const std::vector<std::vector<Id>>& pieces, const Context& context);

  std::int64_t size_ = 0;
  std::vector<Id> sorted_;  // the distinct ids, or empty where a bitmap of their range is used:
  std::int64_t first_ = 0;
  RankedBits bits_;  // ids less the first one
};

extern template class IdIndex<std::int64_t>;
extern template class IdIndex<std::string_view>;

}  // namespace parsimony::graph
