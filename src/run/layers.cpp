#include "run/layers.hpp"

#include <algorithm>
#include <array>

#include "kernels/matrix_product.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kTile = 64;    // outputs of a tile of floats
constexpr std::int64_t kDepth = 256;  // inputs of a tile: 64 KiB
constexpr std::int64_t kNormRows = 8;

// Values [begin, begin + count) of a row of a matrix of floats.
std::vector<float> part_of_row(const TensorView& matrix, std::int64_t row, std::int64_t begin,
                               std::int64_t count) {
  const std::int64_t size = bits_of(matrix.dtype) / 8;
  TensorView part;
  part.dtype = matrix.dtype;
  part.shape = {count};
  part.data = matrix.data.subspan(static_cast<std::size_t>((row * matrix.shape[1] + begin) * size),
                                  static_cast<std::size_t>(count * size));
  return float32_values(part);
}

}  // namespace

LinearLayer::LinearLayer(Weights& weights, const std::string& name, std::int64_t outputs, std::int64_t inputs,
                         const quant::PackedLinearOptions& options)
    : outputs_(outputs), inputs_(inputs) {
  weights.check_shape(name + ".weight", std::array{outputs, inputs});
  bias_ = weights.values(name + ".bias", std::array{outputs});
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
  } else {
    multiply_floats(x, y, context);
  }
}

void LinearLayer::multiply_floats(MatrixView<const float> x, MatrixView<float> y,
                                  const Context& context) const {
  context.for_blocks(outputs_, kTile, [&](std::int64_t begin, std::int64_t end) {
    Matrix<float> tile(std::min(kDepth, inputs_), kTile), sums(x.rows, kTile);
    for (std::int64_t t = 0; t < inputs_; t += kDepth) {
      const std::int64_t depth = std::min(kDepth, inputs_ - t);
      for (std::int64_t o = begin; o < end; ++o) {
        const std::vector<float> row = part_of_row(floats_, o, t, depth);
        for (std::int64_t i = 0; i < depth; ++i) tile(i, o - begin) = row[i];
      }
      kernels::matrix_product<float>({x.data + t, x.stride, 1}, x.rows, depth, tile.data(), kTile,
                                     sums.data(), t > 0);
    }
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t o = begin; o < end; ++o) y(r, o) = sums(r, o - begin) + bias_[o];
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
  std::vector<float> values(to.size());
  if (packed_) {
    packed_->lookup(std::array{row}, {values.data(), 1, static_cast<std::int64_t>(values.size())});
  } else {
    values = part_of_row(floats_, row, 0, static_cast<std::int64_t>(to.size()));
  }
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += values[i];
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
