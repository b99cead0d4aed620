// A model with the parts of a compact file that came with version 3, all values by formulas.
#pragma once

#include <memory>
#include <vector>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

/// Groups with packed zero points and scales of a byte, levels over outputs that come second, stacked
/// outputs, and an int8 codebook with a scale for each centroid.
struct Version3Model {
  Version3Model() {
    QuantizedTensor groups = integers({4, 10}, 4);
    groups.group = 4;
    for (int g = 0; g < 12; ++g) {
      groups.scale.push_back(static_cast<float>(1 + g % 5) / 16);
      groups.zero_point.push_back(5 * g % 16);
    }
    add("a.weight", std::move(groups));
    model.recipe.weights.back().scale_dtype = DType::uint8;
    model.recipe.weights.back().scale_values = 6;
    model.recipe.weights.back().packed_zeros = true;

    QuantizedTensor levels = integers({6, 5}, 3);
    levels.axes = {{1}, {0}};
    levels.levels = {-1, -0.5f, -0.25f, 0, 0.125f, 0.25f, 0.5f, 1};
    for (int o = 0; o < 5; ++o) levels.scale.push_back(static_cast<float>(o % 2 == 0 ? 3 + o : -3 - o) / 8);
    add("b.weight", std::move(levels));

    QuantizedTensor stacked = integers({2, 3, 4}, 5);
    stacked.axes = {{0, 1}, {2}};
    for (int o = 0; o < 6; ++o) {
      stacked.scale.push_back(static_cast<float>(o + 1) / 32);
      stacked.zero_point.push_back(o == 0 ? 300 : 16);
    }
    add("c.weight", std::move(stacked));

    auto codebook = std::make_shared<Codebook>();
    codebook->centroids = Matrix<float>(3, 2);
    codebook->type = CodebookType::int8;
    codebook->scales = {0.5f, 0.125f, 2};
    for (int i = 0; i < 6; ++i) {
      codebook->centroids.values()[i] = static_cast<float>(i * 21 - 50) * codebook->scales[i / 2];
    }
    QuantizedTensor product;
    product.shape = {4, 6};
    product.scheme = Scheme::product;
    product.bits = 2;
    product.packed = codes(12, 2, 3);
    product.codebook = std::move(codebook);
    add("d.weight", std::move(product));
  }

  CompactModel model;

 private:
  static std::vector<std::uint8_t> codes(int count, int bits, int below) {
    std::vector<std::uint16_t> codes(count);
    for (int i = 0; i < count; ++i) codes[i] = static_cast<std::uint16_t>((7 * i + i * i / 3) % below);
    return pack_codes(codes, bits);
  }
  static QuantizedTensor integers(std::vector<std::int64_t> shape, int bits) {
    QuantizedTensor tensor;
    tensor.bits = bits;
    int size = 1;
    for (const std::int64_t side : shape) size *= static_cast<int>(side);
    tensor.packed = codes(size, bits, 1 << bits);
    tensor.shape = std::move(shape);
    return tensor;
  }
  void add(const char* name, QuantizedTensor tensor) {
    model.recipe.weights.push_back(recipe_of(name, tensor));
    model.weights.push_back(std::move(tensor));
  }
};

}  // namespace parsimony::quant
