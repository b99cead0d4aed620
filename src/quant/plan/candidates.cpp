#include "quant/plan/candidates.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace parsimony::quant {
namespace {

std::int64_t positions_of(const TensorInfo& weight) {
  return weight.values() / weight.shape[0] / weight.shape[1];
}

std::int64_t default_block_size(const TensorInfo& weight) {
  constexpr std::int64_t kLargestKernel = 32;
  if (weight.shape.size() == 2) return 8;
  const std::int64_t positions = positions_of(weight);
  return positions == 1 ? 4 : positions <= kLargestKernel ? positions : 8;
}

// Levels and integers in groups. Larger groups of 2 and 3 bits pay where feedback makes up for their errors.
void add_grouped(const TensorInfo& weight, const WeightRange& range, const CompressOptions& options,
                 std::vector<WeightRecipe>& out) {
  struct Groups {
    int bits = 0;
    std::int64_t size = 0;
    bool with_feedback = false;
  };
  constexpr std::array<Groups, 7> kGroups{
      {{2, 64, true}, {2, 32}, {3, 64, true}, {3, 32}, {4, 64}, {5, 64}, {6, 64}}};
  const std::int64_t n = weight.values() / weight.shape[0];
  for (const auto& [bits, size, with_feedback] : kGroups) {
    if (with_feedback && !options.feedback) continue;
    const bool levels = bits <= 4;
    if (size >= n && !levels) continue;  // as without groups
    out.push_back(
        grouped_recipe(weight, bits, size, levels ? LevelKind::learned : LevelKind::uniform, range, options));
  }
}

}  // namespace

std::int64_t file_bytes(const WeightRecipe& weight) {
  constexpr std::int64_t kQuotes = 5;  // around the name in the compact file layout
  std::int64_t bytes = std::ssize(weight.name) + kQuotes;
  for (const TensorInfo& tensor : stored_tensors({.weights = {weight}})) {
    bytes += tensor.bytes() + std::ssize(tensor.name) + kHeaderEntry;
  }
  return bytes;
}

WeightRecipe uniform_recipe(const TensorInfo& weight, const WeightRange& range, const LayerScheme& scheme,
                            const CompressOptions& options) {
  using Kind = LayerScheme::Kind;
  constexpr std::int64_t kStandardGroup = 64;
  const std::int64_t group = scheme.group > 0 ? scheme.group : options.group;
  switch (scheme.kind) {
    case Kind::nf4:
    case Kind::levels:
      return grouped_recipe(weight, scheme.bits, group > 0 ? group : kStandardGroup,
                            scheme.kind == Kind::nf4 ? LevelKind::nf4 : LevelKind::learned, range, options);
    case Kind::integer:
      return grouped_recipe(weight, scheme.bits, group, LevelKind::uniform, range, options);
    case Kind::product:
      break;
    default:
      return integer_recipe(weight, 8, range, options);
  }
  const std::int64_t chosen = scheme.block_size > 0 ? scheme.block_size : options.block_size;
  const std::int64_t centroids = scheme.centroids > 0 ? scheme.centroids : options.centroids;
  WeightRecipe product = product_recipe(weight, chosen > 0 ? chosen : default_block_size(weight), centroids,
                                        options.layout, range, options);
  WeightRecipe integer = integer_recipe(weight, 8, range, options);
  return file_bytes(product) > file_bytes(integer) ? integer : product;
}

std::vector<WeightRecipe> candidates_of(const TensorInfo& weight, const WeightRange& range,
                                        const LayerScheme& scheme, const CompressOptions& options) {
  std::vector<WeightRecipe> out;
  const bool products = scheme.kind == LayerScheme::Kind::product && scheme.block_size == 0;
  if (scheme.kind == LayerScheme::Kind::automatic) {
    for (int bits = 2; bits <= 8; ++bits) out.push_back(integer_recipe(weight, bits, range, options));
    add_grouped(weight, range, options, out);
  } else if (!products) {
    return {uniform_recipe(weight, range, scheme, options)};
  }
  const WeightRecipe int8 = integer_recipe(weight, 8, range, options);
  const std::int64_t most = file_bytes(int8);
  std::set<std::pair<BlockLayout, std::int64_t>>
      tried;  // block sizes above the run length are all lowered to it
  const auto add = [&](std::int64_t block_size, BlockLayout layout) {
    std::int64_t last = 0;
    const WeightRecipe first = product_recipe(weight, block_size, 1, layout, range, options);
    if (!tried.emplace(first.layout, first.block_size).second) return;
    for (const std::int64_t centroids : {16, 64, 256, 1024}) {
      WeightRecipe recipe = product_recipe(weight, block_size, centroids, layout, range, options);
      if (recipe.centroids == last) continue;  // K was lowered to its limit before
      last = recipe.centroids;
      if (file_bytes(recipe) <= most) out.push_back(std::move(recipe));
    }
  };
  if (positions_of(weight) == 1) {
    for (const std::int64_t block_size : {2, 4, 8, 16}) add(block_size, BlockLayout::row);
  } else {
    add(default_block_size(weight), BlockLayout::row);
    if (weight.shape[1] > 1) {
      for (const std::int64_t block_size : {2, 4, 8}) add(block_size, BlockLayout::input_channels);
    }
  }
  if (out.empty()) out.push_back(int8);
  return out;
}

}  // namespace parsimony::quant
