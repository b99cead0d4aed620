// The shapes of EfficientNets: layers, channels and strides, for training and for running
// [tan2019efficientnet].
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony::data {

/// B0 to B7 have squeeze and excitation and SiLU. Lite0 to Lite4 have neither: their activation is ReLU6, and
/// stem, head and the repetitions of the first and last stage are those of Lite0 in all of them.
enum class EfficientNetVariant { b0, b1, b2, b3, b4, b5, b6, b7, lite0, lite1, lite2, lite3, lite4 };

constexpr auto names_of(EfficientNetVariant) {
  using enum EfficientNetVariant;
  return enum_names<EfficientNetVariant>({{b0, "b0"},
                                          {b1, "b1"},
                                          {b2, "b2"},
                                          {b3, "b3"},
                                          {b4, "b4"},
                                          {b5, "b5"},
                                          {b6, "b6"},
                                          {b7, "b7"},
                                          {lite0, "lite0"},
                                          {lite1, "lite1"},
                                          {lite2, "lite2"},
                                          {lite3, "lite3"},
                                          {lite4, "lite4"}});
}

/// Zeros around the inputs of the convolutions.
enum class ConvolutionPadding {
  same,      ///< TensorFlow's: as many outputs as inputs / stride rounded up, the odd zero last; batch norm
             ///< has an epsilon of 1e-3. The weights of the authors (tf_efficientnet_… in timm) need it
  symmetric  ///< (kernel − 1) / 2 on each side, an epsilon of 1e-5: for weights trained in PyTorch
};

constexpr auto names_of(ConvolutionPadding) {
  using enum ConvolutionPadding;
  return enum_names<ConvolutionPadding>({{same, "same"}, {symmetric, "symmetric"}});
}

/// A side of a convolution's inputs: the zeros before and after them, and the outputs.
struct ConvolutionSide {
  std::int64_t before = 0, after = 0, outputs = 0;
};
ConvolutionSide convolution_side(std::int64_t inputs, std::int64_t kernel, std::int64_t stride,
                                 ConvolutionPadding padding);

/// The padding that the config.json of timm beside the weights tells: `same` for an "architecture" that
/// begins with tf_, otherwise symmetric; none for a file that is missing, or has no architecture. Throws io;
/// format for a file that is not a JSON object, and for an architecture that is not an EfficientNet.
std::optional<ConvolutionPadding> read_padding(const std::filesystem::path& config);
/// The same from a text; messages begin with the name.
std::optional<ConvolutionPadding> parse_padding(const std::string& text, const std::string& name);

/// The number that batch norm adds to variances.
double batch_norm_epsilon(ConvolutionPadding padding);

struct EfficientNetBlockShape {
  std::int64_t in = 0, out = 0, kernel = 3, stride = 1;
  std::int64_t expansion = 1;  ///< 1: the block has no expanding convolution
  std::int64_t reduced = 0;    ///< channels between the layers of squeeze and excitation; 0: it has none

  std::int64_t wide() const { return in * expansion; }
  bool adds_input() const { return stride == 1 && in == out; }

  /// timm's names. Without expansion, the projection is conv_pw.
  const char* projection() const { return expansion > 1 ? "conv_pwl" : "conv_pw"; }
  const char* depthwise_norm() const { return expansion > 1 ? "bn2" : "bn1"; }
  const char* projection_norm() const { return expansion > 1 ? "bn3" : "bn2"; }
};

struct EfficientNetShape {
  bool lite = false;
  std::int64_t side = 224;  ///< pixels of the images that the variant was designed for
  double dropout = 0.2;     ///< before the classifier, in training
  std::int64_t stem = 32;   ///< channels after the first convolution, 3 × 3 of stride 2
  std::vector<std::vector<EfficientNetBlockShape>> stages;
  std::int64_t head = 1280;  ///< channels before the classifier
};

/// Widths are rounded to multiples of 8, and repetitions up, as by the authors.
EfficientNetShape efficientnet_shape(EfficientNetVariant variant);

}  // namespace parsimony::data
