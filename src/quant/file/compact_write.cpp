// Implements write_compact_file of parsimony/quant/compact_file.hpp.
#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/file/compact_checksum.hpp"
#include "quant/file/compact_deflated.hpp"
#include "quant/file/compact_recipe.hpp"
#include "quant/file/compact_verify.hpp"
#include "quant/file/stored_tensors.hpp"

namespace parsimony::quant {
namespace {

// Everything that recipe_of reads from the codes; names, dtypes and the codebook's name are free.
void check_tensor(const WeightRecipe& weight, const QuantizedTensor& tensor) {
  try {
    check_codes(tensor);
  } catch (const Error& error) {
    refuse_tensor(weight.name, error.what());
  }
  const bool product = weight.scheme == Scheme::product;
  const bool same =
      tensor.shape == weight.shape && tensor.axes == weight.axes && tensor.group == weight.group &&
      tensor.levels.empty() == (weight.levels == LevelKind::uniform) && tensor.scheme == weight.scheme &&
      tensor.bits == weight.bits && std::ssize(tensor.scale) == weight.scales &&
      (!product || (tensor.layout == weight.layout && tensor.codebook->centroids.rows() == weight.centroids &&
                    tensor.codebook->centroids.cols() == weight.block_size &&
                    tensor.codebook->type == weight.codebook_type &&
                    (weight.codebook_type != CodebookType::int8 ||
                     std::ssize(tensor.codebook->scales) == weight.codebook_scales) &&
                    tensor.channel_permutation.empty() != weight.permuted));
  if (!same) refuse_tensor(weight.name, "has other codes than its recipe says");
}

}  // namespace

void write_compact_file(const OutputPath& path, const CompactModel& model) {
  const CompactRecipe& recipe = model.recipe;
  if (model.weights.size() != recipe.weights.size() || model.others.size() != recipe.others.size()) {
    refuse(fmt::format(
        "recipe: names {} and {}; the model has {} and {}", count_of(recipe.weights.size(), "weight"),
        count_of(recipe.others.size(), "other tensor"), model.weights.size(), model.others.size()));
  }
  check_names(recipe);
  StoredTensors stored;
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    check_tensor(recipe.weights[i], model.weights[i]);
    stored.add(recipe.weights[i], &model.weights[i]);
  }
  for (std::size_t i = 0; i < recipe.others.size(); ++i) {
    const OtherRecipe& other = recipe.others[i];
    const TensorView& view = model.others[i];
    const bool dtype = view.dtype == other.dtype || view.dtype == other.stored_dtype;
    if (view.name != other.name || view.shape != other.shape || !dtype) {
      refuse_tensor(other.name, "has another name, shape or dtype than its recipe says");
    }
    stored.add(other, &view);
  }
  const auto verify = [&](const std::filesystem::path& written) {
    verify_against(read_compact_file(written), model, path.path().string());
    model.check_unchanged();
  };
  try {
    if (recipe.deflated) return write_deflated(path, stored.tensors, recipe, verify);
    write_safetensors(path, stored.tensors, with_checksum(file_metadata(recipe), stored.tensors), verify);
  } catch (const Error&) {
    model.check_unchanged();  // the reason, where it is one: the system refuses to write what a file has lost
    throw;
  }
}

}  // namespace parsimony::quant
