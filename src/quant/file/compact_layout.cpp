// Implements the functions of parsimony/quant/compact_file.hpp that need no values: tensors, sizes, recipes.
#include <algorithm>
#include <map>
#include <utility>

#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/file/compact_checksum.hpp"
#include "quant/file/compact_deflated.hpp"
#include "quant/file/compact_recipe.hpp"
#include "quant/file/stored_tensors.hpp"

namespace parsimony::quant {

std::vector<TensorInfo> stored_tensors(const CompactRecipe& recipe) {
  check_names(recipe);
  StoredTensors stored;
  for (const WeightRecipe& weight : recipe.weights) stored.add(weight, nullptr);
  for (const OtherRecipe& other : recipe.others) stored.add(other, nullptr);
  return {stored.tensors.begin(), stored.tensors.end()};
}

std::int64_t planned_size(const CompactRecipe& recipe) {
  const std::vector<TensorInfo> tensors = stored_tensors(recipe);
  return recipe.deflated ? deflated_size(tensors, recipe)
                         : safetensors_size(tensors, with_checksum(file_metadata(recipe), {}));
}

std::vector<std::int64_t> stored_bytes(const CompactRecipe& recipe) {
  std::vector<std::int64_t> bytes;
  StoredTensors stored;
  for (const WeightRecipe& weight : recipe.weights) {
    const std::size_t before = stored.tensors.size();
    stored.add(weight, nullptr);
    bytes.push_back(0);
    for (std::size_t t = before; t < stored.tensors.size(); ++t) bytes.back() += stored.tensors[t].bytes();
  }
  return bytes;
}

std::vector<ModelTensor> model_tensors(const CompactRecipe& recipe) {
  std::vector<ModelTensor> tensors;
  const auto add = [&](const TensorInfo& info) { tensors.push_back({info, tensors.size()}); };
  for (const WeightRecipe& weight : recipe.weights) add({weight.name, weight.dtype, weight.shape});
  for (const OtherRecipe& other : recipe.others) add(other);
  std::map<std::string_view, std::size_t> index;
  for (const ModelTensor& tensor : tensors) index.emplace(tensor.name, tensor.source);
  std::vector<ModelTensor> tied;  // apart, since index has views of the names in tensors
  for (const auto& [alias, target] : recipe.aliases) {
    const auto found = index.find(target);
    if (found == index.end()) {
      refuse_tensor(alias, "is tied to " + quoted_name(target) + ", which is not a tensor of the file");
    }
    tied.push_back(tensors[found->second]);
    tied.back().name = alias;
  }
  tensors.insert(tensors.end(), tied.begin(), tied.end());
  return tensors;
}

std::int64_t model_size(const CompactRecipe& recipe) {
  const std::vector<ModelTensor> tensors = model_tensors(recipe);
  return safetensors_size(std::vector<TensorInfo>(tensors.begin(), tensors.end()), recipe.metadata);
}

WeightRecipe recipe_of(std::string name, const QuantizedTensor& tensor, bool half_scales) {
  check_codes(tensor);
  const auto is_half = [](float value) { return from_half(to_half(value)) == value; };
  const auto is_byte = [](std::int32_t value) { return std::in_range<std::uint8_t>(value); };
  WeightRecipe weight;
  weight.name = std::move(name);
  weight.shape = tensor.shape;
  weight.scheme = tensor.scheme;
  weight.bits = tensor.bits;
  weight.axes = tensor.axes;
  weight.scales = std::ssize(tensor.scale);
  if (half_scales && std::all_of(tensor.scale.begin(), tensor.scale.end(), is_half)) {
    weight.scale_dtype = DType::float16;
  }
  if (tensor.scheme == Scheme::integer) {
    const bool bytes = std::all_of(tensor.zero_point.begin(), tensor.zero_point.end(), is_byte);
    weight.zero_point_dtype = bytes ? DType::uint8 : DType::int32;
    weight.group = tensor.group;
    weight.levels = tensor.levels.empty() ? LevelKind::uniform : LevelKind::learned;
    return weight;
  }
  weight.layout = tensor.layout;
  weight.block_size = tensor.codebook->centroids.cols();
  weight.centroids = tensor.codebook->centroids.rows();
  weight.codebook_type = tensor.codebook->type;
  if (weight.codebook_type == CodebookType::int8) {
    weight.codebook_scales = std::ssize(tensor.codebook->scales);
  }
  weight.permuted = !tensor.channel_permutation.empty();
  return weight;
}

}  // namespace parsimony::quant
