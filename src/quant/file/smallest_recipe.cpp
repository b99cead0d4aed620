// compact_file.hpp: smallest_recipe_of.
#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {
namespace {

constexpr std::size_t kMostIndexed = 256;

std::int64_t bytes_with(const WeightRecipe& weight) {
  CompactRecipe recipe;
  recipe.weights.push_back(weight);
  return stored_bytes(recipe).front();
}

}  // namespace

WeightRecipe smallest_recipe_of(std::string name, const QuantizedTensor& tensor) {
  WeightRecipe weight = recipe_of(std::move(name), tensor, true);
  const bool levels = weight.levels != LevelKind::uniform;
  if (weight.scheme != Scheme::integer || (weight.group == 0 && !levels)) return weight;
  const auto is_code = [&](std::int32_t zero) { return zero >= 0 && zero < 1 << weight.bits; };
  weight.packed_zeros = !levels && std::ranges::all_of(tensor.zero_point, is_code);
  const std::set<float> different(tensor.scale.begin(), tensor.scale.end());
  if (different.size() > kMostIndexed) return weight;
  WeightRecipe indexed = weight;
  indexed.scale_dtype = DType::uint8;
  indexed.scale_values = std::ssize(different);
  return bytes_with(indexed) < bytes_with(weight) ? indexed : weight;
}

}  // namespace parsimony::quant
