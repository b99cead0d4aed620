#include "parsimony/data/efficientnet_shape.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

struct StageOfB0 {
  std::int64_t repeats, kernel, stride, expansion, channels;
};

// Table 1 of the paper.
constexpr std::array kStagesOfB0{StageOfB0{1, 3, 1, 1, 16},  StageOfB0{2, 3, 2, 6, 24},
                                 StageOfB0{2, 5, 2, 6, 40},  StageOfB0{3, 3, 2, 6, 80},
                                 StageOfB0{3, 5, 1, 6, 112}, StageOfB0{4, 5, 2, 6, 192},
                                 StageOfB0{1, 3, 1, 6, 320}};
constexpr std::int64_t kStemOfB0 = 32, kHeadOfB0 = 1280;

struct VariantScaling {
  double width, depth;
  std::int64_t side;
  double dropout;
};

// The scaling of the authors' program.
VariantScaling scaling_of(EfficientNetVariant variant) {
  using enum EfficientNetVariant;
  switch (variant) {
    case b0:
      return {1, 1, 224, 0.2};
    case b1:
      return {1, 1.1, 240, 0.2};
    case b2:
      return {1.1, 1.2, 260, 0.3};
    case b3:
      return {1.2, 1.4, 300, 0.3};
    case b4:
      return {1.4, 1.8, 380, 0.4};
    case b5:
      return {1.6, 2.2, 456, 0.4};
    case b6:
      return {1.8, 2.6, 528, 0.5};
    case b7:
      return {2, 3.1, 600, 0.5};
    case lite0:
      return {1, 1, 224, 0.2};
    case lite1:
      return {1, 1.1, 240, 0.2};
    case lite2:
      return {1.1, 1.2, 260, 0.3};
    case lite3:
      return {1.2, 1.4, 280, 0.3};
    case lite4:
      return {1.4, 1.8, 300, 0.3};
  }
  refuse("variant: not one of EfficientNet's");
}

// The nearest multiple of 8, and the next one where that loses more than a tenth.
std::int64_t scaled_channels(std::int64_t channels, double width) {
  const double scaled = static_cast<double>(channels) * width;
  const auto nearest = std::max<std::int64_t>(8, static_cast<std::int64_t>(scaled + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * scaled ? nearest + 8 : nearest;
}

}  // namespace

ConvolutionSide convolution_side(std::int64_t inputs, std::int64_t kernel, std::int64_t stride,
                                 ConvolutionPadding padding) {
  if (padding == ConvolutionPadding::symmetric || stride == 1) {
    const std::int64_t zeros = (kernel - 1) / 2;
    return {zeros, zeros, (inputs + 2 * zeros - kernel) / stride + 1};
  }
  const std::int64_t outputs = (inputs + stride - 1) / stride;
  const std::int64_t zeros = std::max<std::int64_t>(0, (outputs - 1) * stride + kernel - inputs);
  return {zeros / 2, zeros - zeros / 2, outputs};
}

double batch_norm_epsilon(ConvolutionPadding padding) {
  return padding == ConvolutionPadding::same ? 1e-3 : 1e-5;
}

EfficientNetShape efficientnet_shape(EfficientNetVariant variant) {
  const VariantScaling scaling = scaling_of(variant);
  EfficientNetShape shape;
  shape.lite = variant >= EfficientNetVariant::lite0;
  shape.side = scaling.side;
  shape.dropout = scaling.dropout;
  shape.stem = shape.lite ? kStemOfB0 : scaled_channels(kStemOfB0, scaling.width);
  shape.head = shape.lite ? kHeadOfB0 : scaled_channels(kHeadOfB0, scaling.width);
  std::int64_t channels = shape.stem;
  for (const StageOfB0& stage : kStagesOfB0) {
    const bool end = &stage == kStagesOfB0.begin() || &stage + 1 == kStagesOfB0.end();
    const std::int64_t repeats =
        shape.lite && end
            ? stage.repeats
            : static_cast<std::int64_t>(std::ceil(static_cast<double>(stage.repeats) * scaling.depth));
    const std::int64_t out = scaled_channels(stage.channels, scaling.width);
    std::vector<EfficientNetBlockShape>& blocks = shape.stages.emplace_back();
    for (std::int64_t block = 0; block < repeats; ++block) {
      blocks.push_back({.in = channels,
                        .out = out,
                        .kernel = stage.kernel,
                        .stride = block == 0 ? stage.stride : 1,
                        .expansion = stage.expansion,
                        .reduced = shape.lite ? 0 : std::max<std::int64_t>(1, channels / 4)});
      channels = out;
    }
  }
  return shape;
}

}  // namespace parsimony::data
