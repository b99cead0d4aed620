// A model with the parts of a compact file that parsimony quantize does not write.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

/// Two products with one codebook, factors of the rows and permutations, integers with one scale, a tensor
/// that is float16 in the model too, and a float32 tensor stored as float16. All values are given by
/// formulas.
struct Version1Model {
  Version1Model() {
    auto codebook = std::make_shared<Codebook>();
    codebook->centroids = Matrix<float>(4, 2);
    codebook->type = CodebookType::float16;
    for (int i = 0; i < 8; ++i) codebook->centroids.values()[i] = static_cast<float>(i * i - 11) / 8;
    for (int w = 0; w < 2; ++w) {
      QuantizedTensor weight;
      weight.shape = {8, 6};
      weight.scheme = Scheme::product;
      weight.bits = 2;
      std::vector<std::uint16_t> codes(24);
      for (int i = 0; i < 24; ++i) codes[i] = static_cast<std::uint16_t>((i * i + w) % 4);
      weight.packed = pack_codes(codes, 2);
      for (int o = 0; o < 8; ++o) weight.scale.push_back(1 + static_cast<float>(o + w) / 16);
      for (int c = 0; c < 6; ++c) weight.channel_permutation.push_back((5 * c + w) % 6);
      weight.codebook = codebook;
      add(w == 0 ? "a.weight" : "b.weight", std::move(weight), DType::bfloat16, "linear");
      model.recipe.weights.back().codebook = "a.weight_codebook";
    }
    QuantizedTensor integers;
    integers.shape = {4, 3};
    integers.bits = 5;
    std::vector<std::uint16_t> codes(12);
    for (int i = 0; i < 12; ++i) codes[i] = static_cast<std::uint16_t>(7 * i % 32);
    integers.packed = pack_codes(codes, 5);
    integers.scale = {0.25f};
    integers.zero_point = {300};
    add("c.weight", std::move(integers), DType::float32, "embedding");
    model.recipe.aliases = {{"d.weight", "c.weight"}};
    model.recipe.metadata = {{"architecture", "none"}};
    add_other("halves", DType::float16, DType::float16);
    add_other("stored_as_halves", DType::float32, DType::float16);
  }

  CompactModel model;

 private:
  void add(const char* name, QuantizedTensor tensor, DType dtype, const char* kind) {
    model.recipe.weights.push_back(recipe_of(name, tensor));
    model.recipe.weights.back().dtype = dtype;
    model.recipe.weights.back().kind = kind;
    model.weights.push_back(std::move(tensor));
  }
  void add_other(const char* name, DType dtype, DType stored) {
    OtherRecipe other{{name, dtype, {5}}, stored};
    bytes_.push_back(tensor_bytes(std::vector<float>{0.5f, -1, 0, 3, 0.125f}, dtype));
    model.recipe.others.push_back(other);
    model.others.push_back({other, bytes_.back()});
  }
  std::list<std::vector<std::uint8_t>> bytes_;
};

}  // namespace parsimony::quant
