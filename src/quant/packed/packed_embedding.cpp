// Implements PackedEmbedding of parsimony/quant/packed_linear.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "quant/packed/packed_weight.hpp"

namespace parsimony::quant {

struct PackedEmbedding::Data {
  explicit Data(QuantizedTensor tensor) : weight(std::move(tensor)) {
    check_codes(weight);
    if (weight.shape.size() != 2) {
      refuse(fmt::format("embedding: has {}; must have 2", count_of(weight.shape.size(), "dimension")));
    }
    grid = code_grid(weight);
    codes = grid.blocks_per_output();
    places = value_places(weight);
  }

  void decode(std::int64_t row, float* to) const {
    if (weight.scheme == Scheme::integer && weight.bits == 8 && weight.group == 0 && weight.levels.empty()) {
      const float scale = weight.scale[weight.scale.size() == 1 ? 0 : row];
      const std::int64_t zero = weight.zero_point[weight.zero_point.size() == 1 ? 0 : row];
      const std::uint8_t* from = weight.packed.data() + row * codes;
      for (std::int64_t c = 0; c < codes; ++c) to[c] = scale * static_cast<float>(from[c] - zero);
      return;
    }
    const bool product = weight.scheme == Scheme::product;
    const std::int64_t d = product ? weight.codebook->centroids.cols() : 1;
    const std::int64_t groups = groups_of(codes, weight.group);
    for (std::int64_t c = 0; c < codes; ++c) {
      const std::int64_t code = code_at(weight.packed, weight.bits, row * codes + c);
      const std::int64_t at = row * groups + (weight.group == 0 ? 0 : c / weight.group);
      const auto of_group = [&](const auto& values) { return values[values.size() == 1 ? 0 : at]; };
      const float scale = weight.scale.empty() ? 1.0f : of_group(weight.scale);
      for (std::int64_t j = 0; j < d; ++j) {
        const std::int64_t place = places.empty() ? c * d + j : places[c * d + j];
        if (place < 0) continue;
        to[place] = scale * (product                 ? weight.codebook->centroids(code, j)
                             : weight.levels.empty() ? static_cast<float>(code - of_group(weight.zero_point))
                                                     : weight.levels[code]);
      }
    }
  }

  QuantizedTensor weight;
  BlockGrid grid;
  std::int64_t codes = 0;
  std::vector<std::int64_t> places;
};

PackedEmbedding::PackedEmbedding(QuantizedTensor weight)
    : data_(std::make_shared<const Data>(std::move(weight))) {}

std::int64_t PackedEmbedding::rows() const {
  return data_->grid.outputs;
}
std::int64_t PackedEmbedding::dimension() const {
  return data_->grid.values_per_output();
}

std::int64_t PackedEmbedding::bytes() const {
  const QuantizedTensor& weight = data_->weight;
  return static_cast<std::int64_t>(
             weight.packed.size() +
             4 * (weight.scale.size() + weight.zero_point.size() + weight.levels.size()) +
             8 * data_->places.size()) +
         (weight.codebook ? weight.codebook->centroids.size() * 4 : 0);
}

void PackedEmbedding::lookup(std::span<const std::int64_t> indices, MatrixView<float> out) const {
  const auto count = static_cast<std::int64_t>(indices.size());
  if (out.rows != count || out.cols != dimension()) {
    refuse(fmt::format("out: is {} × {}; must be {} × {}", out.rows, out.cols, count, dimension()));
  }
  for (std::int64_t i = 0; i < count; ++i) {
    if (indices[i] < 0 || indices[i] >= rows()) {
      refuse(fmt::format("index {} is {}; the embedding has rows 0 to {}", i, indices[i], rows() - 1));
    }
    data_->decode(indices[i], out.row_data(i));
  }
}

}  // namespace parsimony::quant
