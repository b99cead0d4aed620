#include "run/layers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/matrix_product.hpp"
#include "kernels/row_dots.hpp"
#include "parsimony/core/half.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kTile = 64;    // outputs of a tile of floats
constexpr std::int64_t kDepth = 256;  // inputs of a tile: 64 KiB
constexpr std::int64_t kNormRows = 8;
// Rows of x up to which the rows of a file of floats are multiplied as they are, without a tile.
constexpr std::int64_t kFewRows = 8;
constexpr std::int64_t kFewRowsOutputs = 32;

// take(i, value) for values i = 0 … count − 1 of a row of a matrix, from `begin` on. Makes no vector of them:
// rows are read for each tile.
template <class Take>
void for_row(const TensorView& matrix, std::int64_t row, std::int64_t begin, std::int64_t count,
             const Take& take) {
  const std::int64_t size = bits_of(matrix.dtype) / 8;
  const std::uint8_t* from = matrix.data.data() + (row * matrix.shape[1] + begin) * size;
  if (matrix.dtype == DType::float32) {
    for (std::int64_t i = 0; i < count; ++i) {
      float value = 0;
      std::memcpy(&value, from + 4 * i, sizeof(value));
      take(i, value);
    }
    return;
  }
  const bool half = matrix.dtype == DType::float16;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + 2 * i, sizeof(bits));
    take(i, half ? from_half(bits) : std::bit_cast<float>(std::uint32_t{bits} << 16));
  }
}

}  // namespace

LinearLayer::LinearLayer(Weights& weights, const std::string& name, std::int64_t outputs, std::int64_t inputs,
                         const quant::PackedLinearOptions& options, Bias bias)
    : outputs_(outputs), inputs_(inputs) {
  weights.check_shape(name + ".weight", std::array{outputs, inputs});
  if (bias == Bias::given) bias_ = weights.values(name + ".bias", std::array{outputs});
  if (!weights.in_codes(name + ".weight")) {
    floats_ = weights.floats(name + ".weight");
    return;
  }
  packed_.emplace(weights.codes(name + ".weight"), bias_, options);
  bias_ = {};
}

std::int64_t LinearLayer::bytes() const {
  return packed_ ? packed_->bytes() : static_cast<std::int64_t>(bias_.size()) * 4;
}

void LinearLayer::multiply(MatrixView<const float> x, MatrixView<float> y, const Context& context) const {
  if (packed_) {
    packed_->multiply(x, y, context);
  } else if (x.rows <= kFewRows) {
    multiply_rows(x, y, context);
  } else {
    multiply_floats(x, y, context);
  }
}

std::int64_t LinearLayer::product_bytes(std::int64_t rows, int threads) const {
  if (packed_) return packed_->product_bytes(rows, threads);
  return rows <= kFewRows ? 0 : 4 * threads * kTile * (std::min(kDepth, inputs_) + rows);
}

void LinearLayer::multiply_rows(MatrixView<const float> x, MatrixView<float> y,
                                const Context& context) const {
  using kernels::RowType;
  const kernels::MatrixRows matrix{floats_.data.data(),
                                   floats_.dtype == DType::float32   ? RowType::float32
                                   : floats_.dtype == DType::float16 ? RowType::float16
                                                                     : RowType::bfloat16,
                                   inputs_};
  context.for_blocks(outputs_, kFewRowsOutputs, [&](std::int64_t begin, std::int64_t end) {
    kernels::row_dots(matrix, begin, end - begin, x.data, x.stride, x.rows, y.data + begin, y.stride);
    if (bias_.empty()) return;
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t o = begin; o < end; ++o) y(r, o) += bias_[o];
    }
  });
}

void LinearLayer::multiply_floats(MatrixView<const float> x, MatrixView<float> y,
                                  const Context& context) const {
  context.for_blocks(outputs_, kTile, [&](std::int64_t begin, std::int64_t end) {
    Matrix<float> tile(std::min(kDepth, inputs_), kTile), sums(x.rows, kTile);
    for (std::int64_t t = 0; t < inputs_; t += kDepth) {
      const std::int64_t depth = std::min(kDepth, inputs_ - t);
      for (std::int64_t o = begin; o < end; ++o) {
        for_row(floats_, o, t, depth, [&](std::int64_t i, float value) { tile(i, o - begin) = value; });
      }
      kernels::matrix_product<float>({x.data + t, x.stride, 1}, x.rows, depth, tile.data(), kTile,
                                     sums.data(), t > 0);
    }
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t o = begin; o < end; ++o)
        y(r, o) = sums(r, o - begin) + (bias_.empty() ? 0 : bias_[o]);
    }
  });
}

EmbeddingLayer::EmbeddingLayer(Weights& weights, const std::string& name, std::int64_t rows,
                               std::int64_t width) {
  weights.check_shape(name + ".weight", std::array{rows, width});
  if (weights.in_codes(name + ".weight")) {
    packed_.emplace(weights.codes(name + ".weight"));
  } else {
    floats_ = weights.floats(name + ".weight");
  }
}

void EmbeddingLayer::add_row(std::int64_t row, std::span<float> to) const {
  const auto count = static_cast<std::int64_t>(to.size());
  if (!packed_) {
    for_row(floats_, row, 0, count, [&](std::int64_t i, float value) { to[i] += value; });
    return;
  }
  std::vector<float> values(to.size());
  packed_->lookup(std::array{row}, {values.data(), 1, count});
  for (std::int64_t i = 0; i < count; ++i) to[i] += values[i];
}

NormLayer::NormLayer(const Weights& weights, const std::string& name, std::int64_t width, double epsilon)
    : weight_(weights.values(name + ".weight", std::array{width})),
      bias_(weights.values(name + ".bias", std::array{width})),
      epsilon_(static_cast<float>(epsilon)) {}

void NormLayer::add_and_normalize(MatrixView<float> x, MatrixView<const float> y,
                                  const Context& context) const {
  const kernels::LayerNorm norm{weight_.data(), bias_.data(), x.cols, epsilon_};
  context.for_blocks(x.rows, kNormRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      kernels::layer_norm(x.row_data(r), y.data == nullptr ? nullptr : y.row_data(r), norm);
    }
  });
}

}  // namespace parsimony::run
