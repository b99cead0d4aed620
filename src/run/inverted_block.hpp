// The inverted residual block of EfficientNet [sandler2018mobilenetv2].
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "parsimony/data/efficientnet_shape.hpp"
#include "run/image_map.hpp"
#include "run/pointwise.hpp"

namespace parsimony::run {

/// Settings that all layers of a network have in common.
struct ConvolutionStyle {
  data::ConvolutionPadding padding = data::ConvolutionPadding::same;
  kernels::Activation activation = kernels::Activation::relu6;
  quant::PackedLinearOptions product;
};

/// Memory that the blocks of a network use in turn, enough for each of them.
struct BlockMemory {
  Matrix<float> expanded;  ///< the expanded input, where its weight is in codes
  Matrix<float> wide;      ///< outputs of the depthwise convolution
  Scratch strips;
};

/// Expansion by 1 × 1, depthwise convolution, squeeze and excitation, projection by 1 × 1; the input is added
/// if it has the shape of the output.
///
/// 32 channels of a strip of rows are expanded and filtered at a time, so that the expanded values stay in
/// the cache. Strips and panels are the units of work: they do not depend on the number of threads.
class InvertedBlock {
 public:
  /// The input usually has so many pixels.
  InvertedBlock(Weights& weights, const std::string& name, const data::EfficientNetBlockShape& shape,
                const ConvolutionStyle& style, std::int64_t pixels);

  std::int64_t bytes() const;
  std::int64_t in_codes() const;

  /// Sides of the output for an input of this size.
  ImageMap output(float* data, std::int64_t height, std::int64_t width) const;
  /// Values that BlockMemory needs for an input of this size, and bytes of what run() allocates.
  struct Needs {
    std::int64_t expanded = 0, wide = 0, strip = 0, bytes = 0;
  };
  Needs needs(std::int64_t height, std::int64_t width, int threads) const;

  void run(const ImageMap& x, const ImageMap& y, BlockMemory& memory, const Context& context) const;

 private:
  struct Sides;  // sizes that follow from the input
  Sides sides(std::int64_t height, std::int64_t width) const;
  void fill_strip(const ImageMap& source, const Sides& sides, std::int64_t strip, std::int64_t panel,
                  float* to) const;
  void excite(const ImageMap& wide, MatrixView<const float> sums, const Context& context) const;

  data::EfficientNetBlockShape shape_;
  ConvolutionStyle style_;
  std::optional<PointwiseLayer> expand_;
  Matrix<float> depthwise_;  // kernel² × wide channels, with the factor of the norm
  std::vector<float> depthwise_bias_;
  std::optional<PointwiseLayer> reduce_, excite_;
  std::optional<PointwiseLayer> project_;
};

}  // namespace parsimony::run
