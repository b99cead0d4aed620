// EfficientNets that compute from the codes of their compact files, without LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/efficientnet_shape.hpp"
#include "parsimony/run/network.hpp"

namespace parsimony::run {

enum class PaddingChoice {
  automatic,  ///< by "architecture" in a config.json of timm beside the weights; without one, same
  same,
  symmetric
};

constexpr auto names_of(PaddingChoice) {
  using enum PaddingChoice;
  return enum_names<PaddingChoice>({{automatic, "auto"}, {same, "same"}, {symmetric, "symmetric"}});
}

/// An EfficientNet with its weights [tan2019efficientnet]. Copies share them, and threads may use one at the
/// same time.
///
/// 1 × 1 convolutions and the classifier compute from codes (quant::PackedLinear); those with few weights and
/// many pixels, the first convolution and the depthwise ones are decoded when they are read, at most 256 KiB
/// of each. Batch norms become factors and shifts. Weights that are floats in the file are kept as floats.
class ImageNetwork {
 public:
  data::EfficientNetVariant variant() const;
  data::ConvolutionPadding padding() const;
  bool lite() const;
  std::int64_t side() const;  ///< pixels of the images that the variant was designed for
  std::int64_t classes() const;
  Precision precision() const;    ///< never automatic
  std::int64_t bytes() const;     ///< memory of the weights
  std::int64_t in_codes() const;  ///< number of weights that are in codes in the file

  /// Most bytes of the activations and products of an image with this number of threads; images run one after
  /// the other.
  std::int64_t planned_bytes(std::int64_t height, std::int64_t width, int threads) const;

  /// Logits, n × classes. images: n × (3 · height · width), normalized, planes of red, green and blue.
  /// Throws invalid_argument for another number of values, and a side outside 32 to 4096; cancelled;
  /// memory_limit. The same bytes for any number of threads on one SIMD target.
  Matrix<float> classify(MatrixView<const float> images, std::int64_t height, std::int64_t width,
                         const Context& context = Context{}) const;

 private:
  friend ImageNetwork load_image_network(const std::filesystem::path&, const LoadOptions&, PaddingChoice,
                                         const Context&);
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Reads an EfficientNet B0 to B7 or Lite0 to Lite4 with timm's names: a compact file or any safetensors
/// file, or a folder with model.safetensors or its index. The variant is the one whose tensors the file has.
///
/// Throws what SafetensorsFile and read_compact_file throw; format, naming file and tensor, where no variant
/// fits, with the nearest one; memory_limit where the network would not fit the limit of the context.
ImageNetwork load_image_network(const std::filesystem::path& model, const LoadOptions& options = {},
                                PaddingChoice padding = PaddingChoice::automatic,
                                const Context& context = Context{});
}  // namespace parsimony::run
