#include "quant/plan/candidates.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace parsimony::quant {
namespace {

int bits_of(CompressionScheme scheme) {
  switch (scheme) {
    case CompressionScheme::int7:
      return 7;
    case CompressionScheme::int6:
      return 6;
    case CompressionScheme::int5:
      return 5;
    case CompressionScheme::int4:
      return 4;
    case CompressionScheme::int3:
      return 3;
    case CompressionScheme::int2:
      return 2;
    default:
      return 8;
  }
}

std::int64_t positions_of(const TensorInfo& weight) {
  return weight.values() / weight.shape[0] / weight.shape[1];
}

std::int64_t default_block_size(const TensorInfo& weight) {
  constexpr std::int64_t kLargestKernel = 32;
  if (weight.shape.size() == 2) return 8;
  const std::int64_t positions = positions_of(weight);
  return positions == 1 ? 4 : positions <= kLargestKernel ? positions : 8;
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

WeightRecipe uniform_recipe(const TensorInfo& weight, const WeightRange& range,
                            const CompressOptions& options) {
  if (options.scheme != CompressionScheme::pq)
    return integer_recipe(weight, bits_of(options.scheme), range, options);
  const std::int64_t block_size = options.block_size > 0 ? options.block_size : default_block_size(weight);
  WeightRecipe product =
      product_recipe(weight, block_size, options.centroids, options.layout, range, options);
  WeightRecipe integer = integer_recipe(weight, 8, range, options);
  return file_bytes(product) > file_bytes(integer) ? integer : product;
}

std::vector<WeightRecipe> candidates_of(const TensorInfo& weight, const WeightRange& range,
                                        const CompressOptions& options) {
  std::vector<WeightRecipe> out;
  if (options.scheme == CompressionScheme::automatic) {
    for (int bits = 2; bits <= 8; ++bits) out.push_back(integer_recipe(weight, bits, range, options));
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
