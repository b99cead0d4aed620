#include "run/image_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "run/efficientnet_weights.hpp"
#include "run/model_path.hpp"
#include "run/precision.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kLeastSide = 32, kMostSide = 4096;

// The mean over all pixels.
void pool(const ImageMap& x, std::span<float> to) {
  std::fill(to.begin(), to.end(), 0.0F);
  for (std::int64_t i = 0; i < x.pixels(); ++i) {
    for (std::int64_t c = 0; c < x.channels; ++c) to[c] += x.pixel(i)[c];
  }
  for (float& value : to) value /= static_cast<float>(x.pixels());
}

}  // namespace

ImageNetwork::Data::Data(Weights& weights, data::EfficientNetVariant variant_,
                         data::ConvolutionPadding padding_, const LoadOptions& options)
    : variant(variant_),
      shape(data::efficientnet_shape(variant_)),
      padding(padding_),
      precision(chosen_precision(options.precision)),
      files(weights.files()) {
  const ConvolutionStyle style{padding, shape.lite ? kernels::Activation::relu6 : kernels::Activation::silu,
                               product_options(precision, options.keep_tiles)};
  stem.emplace(weights, shape.stem, style);
  ImageMap map = stem->output(nullptr, shape.side, shape.side);
  for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
    for (std::size_t block = 0; block < shape.stages[stage].size(); ++block) {
      blocks.emplace_back(weights, block_name(stage, block), shape.stages[stage][block], style, map.pixels());
      map = blocks.back().output(nullptr, map.height, map.width);
    }
  }
  head.emplace(weights, "conv_head",
               FoldedNorm::batch_norm(weights, "bn2", shape.head, data::batch_norm_epsilon(padding)),
               PointwiseOptions{shape.head, map.channels, map.pixels(), style.activation, style.product});
  const std::int64_t classes = weights.shape_of("classifier.weight")[0];
  classifier.emplace(weights, "classifier", FoldedNorm::bias_alone(weights, "classifier.bias", classes),
                     PointwiseOptions{classes, shape.head, 1, kernels::Activation::none, style.product});
}

ImageNetwork::Data::Needs ImageNetwork::Data::needs(std::int64_t height, std::int64_t width,
                                                    int threads) const {
  Needs out;
  out.image = stem->padded_values(height, width);
  ImageMap map = stem->output(nullptr, height, width);
  out.bytes = threads * stem->tile_bytes();
  const auto grow = [&] { out.map = std::max(out.map, map.pixels() * map.stride); };
  grow();
  for (const InvertedBlock& block : blocks) {
    const InvertedBlock::Needs needs = block.needs(map.height, map.width, threads);
    out.bytes = std::max(out.bytes, needs.bytes);
    out.expanded = std::max(out.expanded, needs.expanded);
    out.wide = std::max(out.wide, needs.wide);
    out.strip = std::max(out.strip, needs.strip);
    map = block.output(nullptr, map.height, map.width);
    grow();
  }
  out.wide = std::max(out.wide, map.pixels() * head->padded_outputs());
  out.ends = shape.head + classifier->padded_outputs() + classifier->outputs();
  out.bytes = std::max(
      {out.bytes, head->product_bytes(map.pixels(), threads), classifier->product_bytes(1, threads)});
  return out;
}

data::EfficientNetVariant ImageNetwork::variant() const {
  return data_->variant;
}
data::ConvolutionPadding ImageNetwork::padding() const {
  return data_->padding;
}
bool ImageNetwork::lite() const {
  return data_->shape.lite;
}
std::int64_t ImageNetwork::side() const {
  return data_->shape.side;
}
std::int64_t ImageNetwork::classes() const {
  return data_->classifier->outputs();
}
Precision ImageNetwork::precision() const {
  return data_->precision;
}

std::int64_t ImageNetwork::bytes() const {
  std::int64_t sum = data_->stem->bytes() + data_->head->bytes() + data_->classifier->bytes();
  for (const InvertedBlock& block : data_->blocks) sum += block.bytes();
  return sum;
}

std::int64_t ImageNetwork::in_codes() const {
  std::int64_t count = int{data_->head->in_codes()} + int{data_->classifier->in_codes()};
  for (const InvertedBlock& block : data_->blocks) count += block.in_codes();
  return count;
}

std::int64_t ImageNetwork::planned_bytes(std::int64_t height, std::int64_t width, int threads) const {
  return data_->needs(height, width, threads).all_bytes(threads) + threads * kThreadBytes;
}

Matrix<float> ImageNetwork::classify(MatrixView<const float> images, std::int64_t height, std::int64_t width,
                                     const Context& context) const {
  const Data& net = *data_;
  if (std::min(height, width) < kLeastSide || std::max(height, width) > kMostSide) {
    refuse(fmt::format("images: have {} × {} pixels; each side must have {} to {}", height, width, kLeastSide,
                       kMostSide));
  }
  if (images.cols != 3 * height * width) {
    refuse(fmt::format("images: have {} each; must have 3 planes of {} × {}", count_of(images.cols, "value"),
                       height, width));
  }
  context.require_memory(planned_bytes(height, width, context.threads()), "the activations of the network",
                         "smaller images or fewer threads lower them");
  const Data::Needs needs = net.needs(height, width, context.threads());
  Matrix<float> padded(1, needs.image), first(1, needs.map), second(1, needs.map);
  BlockMemory memory{Matrix<float>(1, needs.expanded), Matrix<float>(1, needs.wide), Scratch(needs.strip)};
  Matrix<float> pooled(1, net.shape.head), logits(1, net.classifier->padded_outputs()),
      out(images.rows, net.classifier->outputs());
  for (std::int64_t i = 0; i < images.rows; ++i) {
    context.check_cancelled();
    ImageMap x = net.stem->output(first.data(), height, width);
    net.stem->run(images.row(i), height, width, padded.data(), x, context);
    for (const InvertedBlock& block : net.blocks) {
      const ImageMap y =
          block.output(x.data == first.data() ? second.data() : first.data(), x.height, x.width);
      block.run(x, y, memory, context);
      x = y;
    }
    const ImageMap head(memory.wide.data(), x.height, x.width, net.shape.head);
    net.head->multiply(x.rows(), head.rows(), nullptr, context);
    pool(head, pooled.values());
    net.classifier->multiply(pooled, {logits.data(), 1, out.cols(), logits.cols()}, nullptr, context);
    std::copy_n(logits.data(), out.cols(), out.row(i).data());
  }
  for (const SafetensorsFile& file : net.files) file.check_unchanged();
  return out;
}

ImageNetwork load_image_network(const std::filesystem::path& model, const LoadOptions& options,
                                PaddingChoice padding, const Context& context) {
  validate_fields(options);
  const std::filesystem::path path = weights_path(model);
  Weights weights(path, context);
  const data::ConvolutionPadding chosen = chosen_padding(padding, weights, model, options.folder);
  const data::EfficientNetVariant variant = find_variant(weights);
  const std::int64_t floats = weights.float_count() + weights.coded_values(kMostDecoded);
  context.require_memory(weights.packed_bytes(product_options(options)).total() + 4 * floats,
                         "the network, a byte or two for a code and four for a float");
  ImageNetwork out;
  out.data_ = std::make_shared<const ImageNetwork::Data>(weights, variant, chosen, options);
  weights.check_unchanged();
  return out;
}

}  // namespace parsimony::run
