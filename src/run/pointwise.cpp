#include "run/pointwise.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/integer_product.hpp"
#include "kernels/matrix_product.hpp"
#include "kernels/round_up.hpp"
#include "parsimony/quant/decode.hpp"

namespace parsimony::run {
namespace {

static_assert(kernels::kFinishPadding == kernels::kProductColumns<float>);

// Whether floats take no longer than bytes: narrow layers would fill bytes with zeros, and rows of x must
// become bytes first.
bool floats_are_fast(const PointwiseOptions& options) {
  if (options.inputs * options.outputs > kMostDecoded || options.rows < PointwiseLayer::kRows) return false;
  using quant::TileProduct;
  kernels::IntegerRange range = kernels::IntegerRange::rows8;
  switch (options.product.tiles) {
    case TileProduct::floats:
      return true;
    case TileProduct::integers8:
      break;
    case TileProduct::integers7:
      range = kernels::IntegerRange::rows7;
      break;
    case TileProduct::integers6:
      range = kernels::IntegerRange::rows7tiles6;
      break;
  }
  constexpr double kOfInput = 12, kOfOutput = 24;  // multiply-adds in the time of one value
  const auto inputs = static_cast<double>(options.inputs), outputs = static_cast<double>(options.outputs);
  const auto whole = [](std::int64_t count, std::int64_t multiple) {
    return static_cast<double>(kernels::round_up(count, multiple));
  };
  const double bytes = whole(options.inputs, kernels::kIntegerSegment) *
                           whole(options.outputs, kernels::kIntegerOutputs) * kernels::integer_cost(range) +
                       kOfInput * inputs + kOfOutput * outputs;
  return inputs * whole(options.outputs, kernels::kProductColumns<float>) <= bytes;
}

}  // namespace

FoldedNorm FoldedNorm::batch_norm(const Weights& weights, const std::string& name, std::int64_t channels,
                                  double epsilon) {
  const std::array shape{channels};
  const std::vector<float> weight = weights.values(name + ".weight", shape),
                           bias = weights.values(name + ".bias", shape),
                           mean = weights.values(name + ".running_mean", shape),
                           variance = weights.values(name + ".running_var", shape);
  FoldedNorm out;
  out.factor.resize(kernels::round_up(channels, kernels::kFinishPadding));
  out.bias.resize(out.factor.size());
  for (std::int64_t c = 0; c < channels; ++c) {
    const double factor = weight[c] / std::sqrt(variance[c] + epsilon);
    out.factor[c] = static_cast<float>(factor);
    out.bias[c] = static_cast<float>(bias[c] - mean[c] * factor);
  }
  return out;
}

FoldedNorm FoldedNorm::none(std::int64_t channels) {
  FoldedNorm out;
  out.bias.resize(kernels::round_up(channels, kernels::kFinishPadding));
  out.factor.assign(out.bias.size(), 1);
  return out;
}

FoldedNorm FoldedNorm::bias_alone(const Weights& weights, const std::string& tensor, std::int64_t channels) {
  FoldedNorm out;
  out.bias = weights.values(tensor, std::array{channels});
  out.bias.resize(kernels::round_up(channels, kernels::kFinishPadding));
  out.factor.assign(out.bias.size(), 1);
  return out;
}

std::vector<float> decoded_weight(Weights& weights, const std::string& tensor) {
  return weights.in_codes(tensor) ? quant::decode(weights.codes(tensor))
                                  : float32_values(weights.floats(tensor));
}

PointwiseLayer::PointwiseLayer(Weights& weights, const std::string& name, FoldedNorm norm,
                               const PointwiseOptions& options)
    : options_(options), norm_(std::move(norm)) {
  const std::string tensor = name + ".weight";
  in_codes_ = weights.in_codes(tensor);
  if (in_codes_ && !floats_are_fast(options)) {
    packed_.emplace(weights.codes(tensor), std::span<const float>(), options.product);
    return;
  }
  const std::vector<float> values = decoded_weight(weights, tensor);
  const std::int64_t inputs = options.inputs;
  panels_ = Matrix<float>(1, padded_outputs() * inputs);
  for (std::int64_t o = 0; o < options.outputs; ++o) {
    const std::int64_t p = o / kPanel, columns = panel_columns(p);
    float* to = panels_.data() + p * kPanel * inputs + o % kPanel;
    for (std::int64_t i = 0; i < inputs; ++i) to[i * columns] = values[o * inputs + i] * norm_.factor[o];
  }
  norm_.factor.clear();
}

std::int64_t PointwiseLayer::bytes() const {
  const auto floats = static_cast<std::int64_t>(norm_.factor.size() + norm_.bias.size());
  return 4 * (floats + panels_.size()) + (packed_ ? packed_->bytes() : 0);
}

std::int64_t PointwiseLayer::panel_columns(std::int64_t panel) const {
  return std::min(kPanel, padded_outputs() - panel * kPanel);
}

void PointwiseLayer::panel(MatrixView<const float> x, std::int64_t panel, float* tile) const {
  kernels::matrix_product<float>({x.data, x.stride, 1}, x.rows, options_.inputs,
                                 panels_.data() + panel * kPanel * options_.inputs, panel_columns(panel),
                                 tile, false);
}

kernels::Finish PointwiseLayer::finish(std::int64_t panel) const {
  const std::int64_t first = panel * kPanel;
  return {norm_.factor.empty() ? nullptr : norm_.factor.data() + first, norm_.bias.data() + first,
          options_.activation};
}

void PointwiseLayer::multiply(MatrixView<const float> x, MatrixView<float> y, const float* add,
                              const Context& context) const {
  if (packed_) {
    packed_->multiply(x, y, context);
    context.for_blocks(x.rows, kRows, [&](std::int64_t begin, std::int64_t end) {
      kernels::finish_rows(y.row_data(begin), y.stride, end - begin, padded_outputs(), finish(0),
                           add == nullptr ? nullptr : add + begin * y.stride, y.stride, y.row_data(begin),
                           y.stride);
    });
    return;
  }
  const std::int64_t blocks = (x.rows + kRows - 1) / kRows;
  context.for_blocks(blocks * panels(), 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t begin = task / panels() * kRows, end = std::min(x.rows, begin + kRows),
                       p = task % panels(), columns = panel_columns(p);
    alignas(64) std::array<float, kRows * kPanel> tile;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    panel({x.row_data(begin), end - begin, x.cols, x.stride}, p, tile.data());
    const std::int64_t place = begin * y.stride + p * kPanel;
    kernels::finish_rows(tile.data(), columns, end - begin, columns, finish(p),
                         add == nullptr ? nullptr : add + place, y.stride, y.data + place, y.stride);
  });
}

}  // namespace parsimony::run
