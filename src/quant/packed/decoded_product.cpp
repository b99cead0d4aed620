// Implements multiply_decoded of quant/packed/packed_weight.hpp.
#include <algorithm>

#include "kernels/matrix_product.hpp"
#include "quant/packed/packed_weight.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kPanel = 2 * kernels::kProductColumns<float>;  // rows of x side by side
constexpr std::int64_t kTileDepth = 512;  // values of a tile: 128 KiB for 64 outputs, in the second cache

// The rows of x as panels of columns: [panel][value][row]. The last panel is as narrow as the product
// accepts.
struct Panels {
  Panels(const PackedWeight& weight, MatrixView<const float> x, const Context& context)
      : rows(x.rows), depth(weight.values()), padded(Matrix<float>(1, whole(x.rows) * weight.values())) {
    context.for_blocks(rows, kPanel, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> space;
      float* to = padded.data() + begin * depth;
      const std::int64_t columns = width(begin);
      for (std::int64_t r = begin; r < end; ++r) {
        const float* from = weight.gather(x.row(r), space);
        for (std::int64_t t = 0; t < depth; ++t) to[t * columns + r - begin] = from[t];
      }
    });
  }

  static std::int64_t whole(std::int64_t rows) {
    constexpr std::int64_t kLine = kernels::kProductColumns<float>;
    return (rows + kLine - 1) / kLine * kLine;
  }
  std::int64_t width(std::int64_t begin) const { return std::min(kPanel, whole(rows) - begin); }

  std::int64_t rows, depth;
  Matrix<float> padded;
};

void multiply_part(const PackedWeight& weight, std::span<const float> bias, MatrixView<const float> x,
                   MatrixView<float> y, const Context& context) {
  constexpr std::int64_t kGroup = kernels::kLookupGroup;
  const Panels panels(weight, x, context);
  const std::int64_t step = std::max<std::int64_t>(1, kTileDepth / weight.d);  // columns of a tile
  context.for_blocks(weight.outputs, kGroup, [&](std::int64_t begin, std::int64_t end) {
    // Rows a power of two apart would share a few lines of the first cache.
    Matrix<float> tile(kGroup, std::min(step, weight.columns) * weight.d + kernels::kProductColumns<float>);
    Matrix<float> sums(kGroup, Panels::whole(x.rows));  // [panel][output][row]
    const std::int64_t outputs = end - begin;
    for (std::int64_t c = 0; c < weight.columns; c += step) {
      const std::int64_t last = std::min(weight.columns, c + step), depth = (last - c) * weight.d;
      weight.decode(begin / kGroup, c, last, tile.data(), tile.cols());
      for (std::int64_t r = 0; r < x.rows; r += kPanel) {
        const std::int64_t width = panels.width(r);
        kernels::matrix_product<float>({tile.data(), tile.cols(), 1}, outputs, depth,
                                       panels.padded.data() + r * panels.depth + c * weight.d * width, width,
                                       sums.data() + r * kGroup, c > 0);
      }
    }
    for (std::int64_t r = 0; r < x.rows; ++r) {
      const std::int64_t first = r / kPanel * kPanel, width = panels.width(first);
      const float* from = sums.data() + first * kGroup + r - first;
      for (std::int64_t i = 0; i < outputs; ++i) {
        float value = from[i * width];
        if (!weight.scale.empty()) value *= weight.scale[begin + i];
        y(r, begin + i) = bias.empty() ? value : value + bias[begin + i];
      }
    }
  });
}

}  // namespace

void multiply_decoded(const PackedWeight& weight, std::span<const float> bias, MatrixView<const float> x,
                      MatrixView<float> y, const Context& context) {
  for (std::int64_t r = 0; r < x.rows; r += kMostRows) {
    const std::int64_t count = std::min(kMostRows, x.rows - r);
    multiply_part(weight, bias, {x.row_data(r), count, x.cols, x.stride},
                  {y.row_data(r), count, y.cols, y.stride}, context);
  }
}

std::int64_t decoded_memory(const PackedWeight& weight, std::int64_t rows, int threads) {
  const std::int64_t count = Panels::whole(std::min(rows, kMostRows));
  const std::int64_t each = kernels::kLookupGroup * (std::min(kTileDepth, weight.values()) + weight.d +
                                                     kernels::kProductColumns<float> + count) +
                            weight.values();
  return 4 * (count * weight.values() + threads * each);
}

}  // namespace parsimony::quant
