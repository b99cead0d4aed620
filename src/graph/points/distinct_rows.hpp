// Groups of equal rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::graph {

/// Group g has the rows members[starts[g] .. starts[g + 1]), ascending. Groups are numbered in the order of
/// their first rows.
struct DistinctRows {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> members;
  std::vector<std::int32_t> group_of;  ///< per row

  std::int64_t count() const { return static_cast<std::int64_t>(starts.size()) - 1; }
  std::span<const std::int32_t> group(std::int64_t g) const {
    return {members.data() + starts[g], static_cast<std::size_t>(starts[g + 1] - starts[g])};
  }
  std::int64_t largest() const;  ///< rows of the largest group
};

/// Finds equal rows (−0 equals 0) by hashing. T is float or double, below 2³¹ rows. O(n d + n log n) time, 40
/// bytes a row beside the result. Throws cancelled.
template <class T>
DistinctRows distinct_rows(MatrixView<const T> rows, const Context& context);

}  // namespace parsimony::graph
