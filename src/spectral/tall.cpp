#include "spectral/tall.hpp"

#include <algorithm>

#include "kernels/outer_products.hpp"
#include "kernels/round_up.hpp"

namespace parsimony::spectral {
namespace {

constexpr std::int64_t kTile = 64;  // columns of one sum: two such tiles of doubles stay in the cache
constexpr std::int64_t kRowsPerPack = 128;
constexpr std::int64_t kFewestRows = 32 * kRowsPerPack;
constexpr std::int64_t kMostBlocks = 16;  // each has a tile of its own
constexpr std::int64_t kRowsPerProduct = 64;

// Rows begin..end of the columns first..first + used, as doubles; used is filled up to `width` with zeros.
void pack(MatrixView<const float> from, std::int64_t begin, std::int64_t end, std::int64_t first,
          std::int64_t used, std::int64_t width, double* to) {
  for (std::int64_t i = begin; i < end; ++i, to += width) {
    const float* row = from.row_data(i) + first;
    for (std::int64_t c = 0; c < used; ++c) to[c] = row[c];
    std::fill(to + used, to + width, 0.0);
  }
}

}  // namespace

Matrix<double> gram(MatrixView<const float> a, MatrixView<const float> b, const Context& context) {
  Matrix<double> out(a.cols, b.cols);
  const std::int64_t tiles = (a.cols + kTile - 1) / kTile;
  const std::int64_t rows =
      kernels::round_up(std::max(kFewestRows, (a.rows + kMostBlocks - 1) / kMostBlocks), kRowsPerPack);
  const std::int64_t blocks = (a.rows + rows - 1) / rows;
  const std::int64_t width = kernels::round_up(b.cols, kernels::kOuterColumns<double>);
  std::vector<Matrix<double>> partial(tiles * blocks);
  context.for_blocks(tiles * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t first = task / blocks * kTile, begin = task % blocks * rows;
    const std::int64_t end = std::min(a.rows, begin + rows), used = std::min(kTile, a.cols - first);
    const std::int64_t height = kernels::round_up(used, kernels::kOuterRows);
    Matrix<double> left(kRowsPerPack, height), right(kRowsPerPack, width), sum(height, width);
    for (std::int64_t i = begin; i < end; i += kRowsPerPack) {
      const std::int64_t last = std::min(end, i + kRowsPerPack);
      pack(a, i, last, first, used, height, left.data());
      pack(b, i, last, 0, b.cols, width, right.data());
      kernels::outer_products<double>(left.data(), height, right.data(), width, last - i, sum.data(), true);
    }
    partial[task] = std::move(sum);
  });
  for (std::int64_t task = 0; task < tiles * blocks; ++task) {
    const std::int64_t first = task / blocks * kTile;
    for (std::int64_t i = first; i < std::min(a.cols, first + kTile); ++i) {
      for (std::int64_t j = 0; j < b.cols; ++j) out(i, j) += partial[task](i - first, j);
    }
  }
  return out;
}

void multiply_in_place(MatrixView<float> basis, MatrixView<const double> factors, const Context& context) {
  const std::int64_t depth = basis.cols,
                     width = kernels::round_up(factors.cols, kernels::kOuterColumns<float>);
  Matrix<float> packed(depth, width);
  for (std::int64_t t = 0; t < depth; ++t) {
    for (std::int64_t c = 0; c < factors.cols; ++c) packed(t, c) = static_cast<float>(factors(t, c));
  }
  const std::int64_t target = basis.cols - factors.cols;
  context.for_blocks(basis.rows, kRowsPerProduct, [&](std::int64_t begin, std::int64_t end) {
    Matrix<float> rows(depth, kRowsPerProduct), product(kRowsPerProduct, width);
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t t = 0; t < depth; ++t) rows(t, i - begin) = basis(i, t);
    }
    kernels::outer_products<float>(rows.data(), kRowsPerProduct, packed.data(), width, depth, product.data(),
                                   false);
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(product.row(i - begin).data(), factors.cols, basis.row_data(i) + target);
    }
  });
}

}  // namespace parsimony::spectral
