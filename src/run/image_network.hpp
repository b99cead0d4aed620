// The layers of an EfficientNet.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/run/image_network.hpp"
#include "run/inverted_block.hpp"

namespace parsimony::run {

/// The first convolution: 3 × 3 of stride 2, from planes to pixels with their channels side by side.
class StemLayer {
 public:
  StemLayer(Weights& weights, std::int64_t channels, const ConvolutionStyle& style);

  std::int64_t bytes() const { return 4 * (weight_.size() + std::ssize(norm_.bias)); }
  ImageMap output(float* data, std::int64_t height, std::int64_t width) const;
  /// Values that the padded image takes.
  std::int64_t padded_values(std::int64_t height, std::int64_t width) const;
  /// Bytes that a thread of run() allocates.
  std::int64_t tile_bytes() const;
  /// image: planes, height × width each. padded: memory.
  void run(std::span<const float> image, std::int64_t height, std::int64_t width, float* padded,
           const ImageMap& y, const Context& context) const;

 private:
  std::int64_t channels_;
  ConvolutionStyle style_;
  FoldedNorm norm_;
  Matrix<float> weight_;  // 27 × channels, rows by (u, v, colour)
};

struct ImageNetwork::Data {
  Data(Weights& weights, data::EfficientNetVariant variant, data::ConvolutionPadding padding,
       const LoadOptions& options);

  /// Values of the memory that all layers use in turn, and bytes that a layer allocates besides.
  struct Needs {
    std::int64_t image = 0, map = 0, expanded = 0, wide = 0, strip = 0, ends = 0, bytes = 0;
    std::int64_t all_bytes(int threads) const {
      return 4 * (image + 2 * map + expanded + wide + threads * strip + ends) + bytes;
    }
  };
  Needs needs(std::int64_t height, std::int64_t width, int threads) const;

  data::EfficientNetVariant variant;
  data::EfficientNetShape shape;
  data::ConvolutionPadding padding;
  Precision precision;
  std::vector<SafetensorsFile> files;  // hold the codes
  std::optional<StemLayer> stem;
  std::vector<InvertedBlock> blocks;
  std::optional<PointwiseLayer> head, classifier;
};

}  // namespace parsimony::run
