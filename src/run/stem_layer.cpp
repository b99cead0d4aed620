// Implements StemLayer of run/image_network.hpp.
#include <algorithm>
#include <array>

#include "kernels/matrix_product.hpp"
#include "run/image_network.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kStemKernel = 3, kStemStride = 2, kStemColors = 3;
constexpr std::int64_t kStemOutputs = 32;                       // pixels of a tile
constexpr std::int64_t kStemOfRow = kStemKernel * kStemColors;  // values of a patch in a row of the image

std::int64_t padded_width(std::int64_t width, const data::ConvolutionSide& across) {
  return std::max(across.before + width, (across.outputs - 1) * kStemStride + kStemKernel);
}

}  // namespace

StemLayer::StemLayer(Weights& weights, std::int64_t channels, const ConvolutionStyle& style)
    : channels_(channels),
      style_(style),
      norm_(FoldedNorm::batch_norm(weights, "bn1", channels, data::batch_norm_epsilon(style.padding))),
      weight_(kStemKernel * kStemOfRow, ImageMap::padded(channels)) {
  const std::vector<float> values = decoded_weight(weights, "conv_stem.weight");
  constexpr std::int64_t kTaps = kStemKernel * kStemKernel;
  for (std::int64_t o = 0; o < channels; ++o) {
    for (std::int64_t color = 0; color < kStemColors; ++color) {
      for (std::int64_t tap = 0; tap < kTaps; ++tap) {
        weight_(tap * kStemColors + color, o) =
            values[(o * kStemColors + color) * kTaps + tap] * norm_.factor[o];
      }
    }
  }
  norm_.factor.clear();
}

ImageMap StemLayer::output(float* data, std::int64_t height, std::int64_t width) const {
  const auto side = [&](std::int64_t inputs) {
    return data::convolution_side(inputs, kStemKernel, kStemStride, style_.padding).outputs;
  };
  return {data, side(height), side(width), channels_};
}

std::int64_t StemLayer::padded_values(std::int64_t height, std::int64_t width) const {
  const auto down = data::convolution_side(height, kStemKernel, kStemStride, style_.padding),
             across = data::convolution_side(width, kStemKernel, kStemStride, style_.padding);
  return padded_width(height, down) * padded_width(width, across) * kStemColors;
}

std::int64_t StemLayer::tile_bytes() const {
  return 4 * kStemOutputs * ImageMap::padded(channels_);
}

void StemLayer::run(std::span<const float> image, std::int64_t height, std::int64_t width, float* padded,
                    const ImageMap& y, const Context& context) const {
  const auto down = data::convolution_side(height, kStemKernel, kStemStride, style_.padding),
             across = data::convolution_side(width, kStemKernel, kStemStride, style_.padding);
  const std::int64_t row = padded_width(width, across) * kStemColors;
  std::fill_n(padded, padded_width(height, down) * row, 0.0F);
  context.for_blocks(height, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      float* to = padded + (i + down.before) * row + across.before * kStemColors;
      for (std::int64_t j = 0; j < width; ++j) {
        for (std::int64_t color = 0; color < kStemColors; ++color) {
          to[j * kStemColors + color] = image[(color * height + i) * width + j];
        }
      }
    }
  });
  context.for_blocks(y.height, 1, [&](std::int64_t i, std::int64_t) {
    Matrix<float> tile(kStemOutputs, y.stride);
    for (std::int64_t j = 0; j < y.width; j += kStemOutputs) {
      const std::int64_t count = std::min(kStemOutputs, y.width - j);
      for (std::int64_t u = 0; u < kStemKernel; ++u) {
        const float* from = padded + (i * kStemStride + u) * row + j * kStemStride * kStemColors;
        kernels::matrix_product<float>({from, kStemStride * kStemColors, 1}, count, kStemOfRow,
                                       weight_.row(u * kStemOfRow).data(), y.stride, tile.data(), u > 0);
      }
      kernels::finish_rows(tile.data(), y.stride, count, y.stride,
                           {nullptr, norm_.bias.data(), style_.activation}, nullptr, 0,
                           y.pixel(i * y.width + j), y.stride);
    }
  });
}

}  // namespace parsimony::run
