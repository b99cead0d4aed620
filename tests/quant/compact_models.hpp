// Models in codes whose values are drawn at random, without a quantizer.
#pragma once

#include <algorithm>
#include <bit>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "parsimony/core/half.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

class RandomModel {
 public:
  explicit RandomModel(unsigned seed) : random_(seed) {}

  std::vector<std::uint8_t> codes(std::int64_t count, int bits, std::int64_t below) {
    std::vector<std::uint16_t> codes(static_cast<std::size_t>(count));
    for (auto& code : codes) code = static_cast<std::uint16_t>(random_() % static_cast<unsigned>(below));
    return pack_codes(codes, bits);
  }

  QuantizedTensor integer(std::vector<std::int64_t> shape, int bits, bool per_channel, bool halves = false) {
    QuantizedTensor tensor;
    tensor.bits = bits;
    std::int64_t size = 1;
    for (const std::int64_t side : shape) size *= side;
    tensor.packed = codes(size, bits, std::int64_t{1} << bits);
    const std::int64_t scales = per_channel ? shape[0] : 1;
    for (std::int64_t i = 0; i < scales; ++i) {
      const float scale = 0.001f + uniform();
      tensor.scale.push_back(halves ? from_half(to_half(scale)) : scale);
      tensor.zero_point.push_back(static_cast<std::int32_t>(random_() % (1u << bits)));
    }
    tensor.shape = std::move(shape);
    return tensor;
  }

  std::shared_ptr<const Codebook> codebook(std::int64_t centroids, std::int64_t block, CodebookType type) {
    auto made = std::make_shared<Codebook>();
    made->centroids = Matrix<float>(centroids, block);
    made->type = type;
    if (type == CodebookType::int8) made->scales = {0.01f + uniform()};
    for (float& value : made->centroids.values()) {
      value = uniform() - 0.5f;
      if (type == CodebookType::float16) value = from_half(to_half(value));
      if (type == CodebookType::int8)
        value = static_cast<float>(static_cast<int>(random_() % 255) - 127) * made->scales[0];
    }
    return made;
  }

  /// Integers in groups, with levels or with zero points among the codes.
  QuantizedTensor grouped(std::vector<std::int64_t> shape, int bits, std::int64_t group, bool levels,
                          WeightAxes axes) {
    QuantizedTensor tensor = integer(shape, bits, false);
    tensor.scale.clear();
    tensor.zero_point.clear();
    tensor.group = group;
    const std::int64_t outputs = coded_shape(shape, axes)[0];
    std::int64_t size = 1;
    for (const std::int64_t side : shape) size *= side;
    for (std::int64_t i = 0; i < outputs * groups_of(size / outputs, group); ++i) {
      tensor.scale.push_back((uniform() - (levels ? 0.5f : -0.1f)) / 8);
      if (!levels) tensor.zero_point.push_back(static_cast<std::int32_t>(random_() % (1u << bits)));
    }
    for (int k = 0; levels && k < 1 << bits; ++k) tensor.levels.push_back(uniform() - 0.5f);
    tensor.axes = std::move(axes);
    return tensor;
  }

  /// The same, with scales as indices of a byte and packed zero points in the file.
  void add_indexed(CompactModel& model, const std::string& name, QuantizedTensor tensor) {
    add(model, name, std::move(tensor));
    WeightRecipe& weight = model.recipe.weights.back();
    weight.scale_dtype = DType::uint8;
    weight.scale_values = std::min<std::int64_t>(weight.scales + 2, 256);
    weight.packed_zeros = weight.levels == LevelKind::uniform;
  }

  /// An int8 codebook with a scale for each centroid.
  std::shared_ptr<const Codebook> scaled_codebook(std::int64_t centroids, std::int64_t block) {
    auto made = std::make_shared<Codebook>();
    made->centroids = Matrix<float>(centroids, block);
    made->type = CodebookType::int8;
    for (std::int64_t c = 0; c < centroids; ++c) {
      made->scales.push_back(from_half(to_half(0.01f + uniform())));
      for (float& value : made->centroids.row(c)) {
        value = static_cast<float>(static_cast<int>(random_() % 255) - 127) * made->scales.back();
      }
    }
    return made;
  }

  QuantizedTensor product(std::vector<std::int64_t> shape, std::shared_ptr<const Codebook> codebook,
                          BlockLayout layout, bool scaled = false, bool permuted = false) {
    QuantizedTensor tensor;
    tensor.scheme = Scheme::product;
    tensor.layout = layout;
    const std::int64_t centroids = codebook->centroids.rows();
    tensor.bits = std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(centroids - 1))));
    tensor.packed =
        codes(block_grid(shape, codebook->centroids.cols(), layout).count(), tensor.bits, centroids);
    for (std::int64_t o = 0; scaled && o < shape[0]; ++o) tensor.scale.push_back(0.5f + uniform());
    for (std::int64_t c = 0; permuted && c < shape[1]; ++c)
      tensor.channel_permutation.push_back(static_cast<std::int32_t>(c));
    std::shuffle(tensor.channel_permutation.begin(), tensor.channel_permutation.end(), random_);
    tensor.codebook = std::move(codebook);
    tensor.shape = std::move(shape);
    return tensor;
  }

  void add(CompactModel& model, const std::string& name, QuantizedTensor tensor, bool half_scales = false) {
    model.recipe.weights.push_back(recipe_of(name, tensor, half_scales));
    model.weights.push_back(std::move(tensor));
  }

  /// Floats, kept in the model's storage as a file of its own.
  void add_others(CompactModel& model, const std::vector<OtherRecipe>& others) {
    for (const OtherRecipe& other : others) {
      buffers_->emplace_back(static_cast<std::size_t>(other.bytes()));
      std::vector<float> values(static_cast<std::size_t>(other.values()));
      for (float& value : values) value = uniform();
      if (has_float32_values(other.dtype)) {
        buffers_->back() = tensor_bytes(values, other.dtype);
      } else {
        for (auto& byte : buffers_->back()) byte = static_cast<std::uint8_t>(random_());
      }
      model.recipe.others.push_back(other);
      model.others.push_back({other, buffers_->back()});
    }
  }

  /// Running means of 0 and variances of 1 of a folded batch norm, whose weight is among the others.
  void add_folded(CompactModel& model, const std::string& name, std::int64_t channels) {
    for (const auto& [ending, value] : {std::pair(".running_mean", 0.0f), {".running_var", 1.0f}}) {
      buffers_->push_back(tensor_bytes(std::vector<float>(channels, value), DType::float32));
      const OtherRecipe implied{{name + ending, DType::float32, {channels}}, DType::float32, true};
      model.recipe.others.push_back(implied);
      model.others.push_back({implied, buffers_->back()});
    }
  }

  float uniform() { return std::uniform_real_distribution<float>(0, 1)(random_); }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
  std::unique_ptr<std::list<std::vector<std::uint8_t>>> buffers_ =
      std::make_unique<std::list<std::vector<std::uint8_t>>>();
};

inline OtherRecipe other(std::string name, DType dtype, std::vector<std::int64_t> shape, DType stored) {
  return {{std::move(name), dtype, std::move(shape)}, stored};
}
inline OtherRecipe other(std::string name, DType dtype, std::vector<std::int64_t> shape) {
  return other(std::move(name), dtype, std::move(shape), dtype);
}

}  // namespace parsimony::quant
