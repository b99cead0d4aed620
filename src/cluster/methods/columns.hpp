// Sums over the columns of a panel.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

inline constexpr std::int64_t kRowsPerColumnBlock = 1 << 13;
using Columns = std::vector<double>;

/// ⟨a_c, b_c⟩ for every column c of two panels of one shape, in float64, blocks of rows added in their order.
/// One pass over both.
inline Columns inner_products(MatrixView<const float> a, MatrixView<const float> b, const Context& context) {
  const std::int64_t blocks = (a.rows + kRowsPerColumnBlock - 1) / kRowsPerColumnBlock;
  Matrix<double> partial(blocks, a.cols);
  context.for_blocks(a.rows, kRowsPerColumnBlock, [&](std::int64_t begin, std::int64_t end) {
    double* sums = partial.row(begin / kRowsPerColumnBlock).data();
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < a.cols; ++c) sums[c] += static_cast<double>(a(i, c)) * b(i, c);
    }
  });
  Columns out(a.cols);
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::int64_t c = 0; c < a.cols; ++c) out[c] += partial(block, c);
  }
  return out;
}

}  // namespace parsimony::cluster
