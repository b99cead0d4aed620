#include "quant/file/stored_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <span>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/half.hpp"
#include "quant/file/compact_recipe.hpp"

namespace parsimony::quant {
namespace {

DType codebook_dtype(CodebookType type) {
  return type == CodebookType::float32   ? DType::float32
         : type == CodebookType::float16 ? DType::float16
                                         : DType::int8;
}

template <class T, class From>
std::vector<std::uint8_t> integers(std::span<const From> values, const std::string& name) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::in_range<T>(values[i])) {
      refuse_tensor(name, fmt::format("{} is not within {} bits", values[i], 8 * sizeof(T)));
    }
    const T value = static_cast<T>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

template <class From>
std::vector<std::uint8_t> integer_bytes(std::span<const From> values, DType dtype, const std::string& name) {
  switch (dtype) {
    case DType::uint8:
      return integers<std::uint8_t>(values, name);
    case DType::int16:
      return integers<std::int16_t>(values, name);
    case DType::int32:
      return integers<std::int32_t>(values, name);
    default:
      return integers<std::int64_t>(values, name);
  }
}

// The values as they are: a dtype that does not hold one of them exactly is an error.
std::vector<std::uint8_t> exact_bytes(std::span<const float> values, DType dtype, const std::string& name) {
  for (const float value : values) {
    if (!std::isfinite(value)) refuse_tensor(name, fmt::format("holds {}; must be finite", value));
    if (dtype == DType::float16 && from_half(to_half(value)) != value) {
      refuse_tensor(name, fmt::format("holds {}, which float16 does not hold exactly", value));
    }
  }
  return tensor_bytes(values, dtype);
}

std::vector<std::uint8_t> codebook_bytes(const Codebook& codebook, const std::string& name) {
  const auto values = codebook.centroids.values();
  if (codebook.type != CodebookType::int8) return exact_bytes(values, codebook_dtype(codebook.type), name);
  std::vector<std::int32_t> levels(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scale = codebook.scale_of(static_cast<std::int64_t>(i) / codebook.centroids.cols());
    const float level = std::nearbyint(values[i] / scale);
    if (!(std::abs(level) <= 127) || level * scale != values[i]) {
      refuse_tensor(name, fmt::format("holds {}; must be a multiple of {} from -127 to 127 times it",
                                      values[i], scale));
    }
    levels[i] = static_cast<std::int32_t>(level);
  }
  return integers<std::int8_t>(std::span<const std::int32_t>(levels), name);
}

void check_implied(const OtherRecipe& other, const TensorView& view) {
  const float value = other.name.ends_with(kRunningMean) ? 0.0f : 1.0f;
  const std::vector<float> values = float32_values(view);
  if (std::any_of(values.begin(), values.end(), [&](float given) { return given != value; })) {
    refuse_tensor(other.name, fmt::format("is of a folded batch norm; must hold {} alone", value));
  }
}

// The running means and variances of a folded batch norm have the shape of its weight.
void check_folded(const CompactRecipe& recipe) {
  std::map<std::string_view, const OtherRecipe*> others;
  for (const OtherRecipe& other : recipe.others) others.emplace(other.name, &other);
  for (const OtherRecipe& other : recipe.others) {
    if (!other.implied) continue;
    const std::string_view name = other.name;
    const bool mean = name.ends_with(kRunningMean);
    const std::string_view own = mean ? kRunningMean : kRunningVariance;
    const auto find = [&](std::string_view ending) {
      const auto found = others.find(std::string(name.substr(0, name.size() - own.size())).append(ending));
      return found == others.end() ? nullptr : found->second;
    };
    const auto fits = [&](const OtherRecipe* same) {
      return same != nullptr && same->shape == other.shape && same->dtype == DType::float32;
    };
    const OtherRecipe* partner = name.size() > own.size() && name.ends_with(own)
                                     ? find(mean ? kRunningVariance : kRunningMean)
                                     : nullptr;
    if (other.dtype != DType::float32 || !fits(partner) || !partner->implied || !fits(find(".weight"))) {
      refuse_tensor(other.name,
                    "is left out as that of a folded batch norm m; must be m.running_mean or m.running_var, "
                    "both F32 in the shape of m.weight");
    }
  }
}

}  // namespace

void refuse_tensor(const std::string& name, const std::string& what) {
  refuse(fmt::format("tensor {}: {}", quoted_name(name), what));
}

void StoredTensors::push(std::string name, DType dtype, std::vector<std::int64_t> shape,
                         std::vector<std::uint8_t> bytes) {
  buffers_.push_back(std::move(bytes));
  tensors.push_back({{std::move(name), dtype, std::move(shape)}, buffers_.back()});
}

void StoredTensors::add(const WeightRecipe& weight, const QuantizedTensor* tensor) {
  check_recipe(weight);
  const auto add_integers = [&](const char* ending, DType dtype, std::int64_t count, const auto& values) {
    const std::string name = weight.name + ending;
    push(name, dtype, {count},
         tensor == nullptr ? std::vector<std::uint8_t>() : integer_bytes(std::span(values()), dtype, name));
  };
  // The codes are by far the largest part and are not copied.
  tensors.push_back({{weight.name + "_packed", DType::uint8, {packed_bytes(weight)}}, {}});
  if (tensor != nullptr) tensors.back().data = tensor->packed;
  add_integers(
      "_shape", DType::int64, std::ssize(weight.shape), [&]() -> auto& { return weight.shape; });
  if (weight.scale_dtype == DType::uint8) {
    add_scale_indices(weight, tensor);
  } else if (weight.scales > 0) {
    const std::string name = weight.name + "_scale";
    push(name, weight.scale_dtype, {weight.scales},
         tensor == nullptr ? std::vector<std::uint8_t>()
                           : exact_bytes(tensor->scale, weight.scale_dtype, name));
  }
  if (weight.levels != LevelKind::uniform) {
    push(weight.name + "_levels", DType::float32, {std::int64_t{1} << weight.bits},
         tensor == nullptr ? std::vector<std::uint8_t>()
                           : exact_bytes(tensor->levels, DType::float32, weight.name + "_levels"));
    return;
  }
  if (weight.packed_zeros) {
    std::vector<std::uint8_t> packed;
    if (tensor != nullptr) {
      const std::vector<std::uint16_t> zeros(tensor->zero_point.begin(), tensor->zero_point.end());
      packed = pack_codes(zeros, weight.bits);
    }
    push(weight.name + "_zero_point", DType::uint8, {(weight.scales * weight.bits + 7) / 8},
         std::move(packed));
    return;
  }
  if (weight.scheme == Scheme::integer) {
    add_integers(
        "_zero_point", weight.zero_point_dtype, weight.scales, [&]() -> auto& { return tensor->zero_point; });
    return;
  }
  if (weight.permuted) {
    add_integers(
        "_permutation", permutation_dtype(coded_shape(weight.shape, weight.axes)[1]),
        coded_shape(weight.shape, weight.axes)[1], [&]() -> auto& { return tensor->channel_permutation; });
  }
  add_codebook(weight, tensor);
}

// The different scales in the order of their values; the last one fills the rest of the list.
void StoredTensors::add_scale_indices(const WeightRecipe& weight, const QuantizedTensor* tensor) {
  const std::string name = weight.name + "_scale";
  std::vector<std::uint8_t> indices, value_bytes;
  if (tensor != nullptr) {
    std::vector<float> values = tensor->scale;
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (std::ssize(values) > weight.scale_values) {
      refuse_tensor(name, fmt::format("holds {}; its recipe says at most {}",
                                      count_of(values.size(), "different value"), weight.scale_values));
    }
    for (const float scale : tensor->scale) {
      indices.push_back(
          static_cast<std::uint8_t>(std::lower_bound(values.begin(), values.end(), scale) - values.begin()));
    }
    values.resize(weight.scale_values, values.back());
    value_bytes = exact_bytes(values, DType::float32, name + "_values");
  }
  push(name, DType::uint8, {weight.scales}, std::move(indices));
  push(name + "_values", DType::float32, {weight.scale_values}, std::move(value_bytes));
}

void StoredTensors::add_codebook(const WeightRecipe& weight, const QuantizedTensor* tensor) {
  const std::string name = codebook_name(weight);
  const auto [found, is_new] = codebooks_.try_emplace(name, Shared{weight, tensor});
  if (!is_new) {
    const auto& [first, values] = found->second;
    if (first.block_size != weight.block_size || first.centroids != weight.centroids ||
        first.codebook_type != weight.codebook_type || first.codebook_scales != weight.codebook_scales ||
        (tensor != nullptr && values->codebook != tensor->codebook)) {
      refuse_tensor(weight.name,
                    fmt::format("does not have the codebook {} of {}", name, quoted_name(first.name)));
    }
    return;
  }
  const bool int8 = weight.codebook_type == CodebookType::int8;
  const DType scale_dtype = weight.codebook_scales == 1 ? DType::float32 : DType::float16;
  std::vector<std::uint8_t> bytes, scale_bytes;
  if (tensor != nullptr) {
    bytes = codebook_bytes(*tensor->codebook, name);
    if (int8) {
      scale_bytes = exact_bytes(tensor->codebook->scales, scale_dtype, codebook_scale_name(weight));
    }
  }
  push(name, codebook_dtype(weight.codebook_type), {weight.centroids, weight.block_size}, std::move(bytes));
  if (int8) {
    push(codebook_scale_name(weight), scale_dtype, {weight.codebook_scales}, std::move(scale_bytes));
  }
}

void StoredTensors::add(const OtherRecipe& other, const TensorView* view) {
  if (other.implied) {
    if (view != nullptr) check_implied(other, *view);
    return;
  }
  const bool halved = other.dtype == DType::float32 && other.stored_dtype == DType::float16;
  if (other.stored_dtype != other.dtype && !halved) {
    refuse_tensor(other.name, "only F32 is stored as another dtype, F16");
  }
  TensorView stored{static_cast<const TensorInfo&>(other), {}};
  stored.dtype = other.stored_dtype;
  if (view != nullptr && view->dtype == other.stored_dtype) {
    stored.data = view->data;
  } else if (view != nullptr) {
    buffers_.push_back(tensor_bytes(float32_values(*view), other.stored_dtype));
    stored.data = buffers_.back();
  }
  tensors.push_back(std::move(stored));
}

void check_names(const CompactRecipe& recipe) {
  std::set<std::string_view> names;
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second) refuse_tensor(name, "is there twice");
  };
  for (const WeightRecipe& weight : recipe.weights) add(weight.name);
  for (const OtherRecipe& other : recipe.others) add(other.name);
  for (const auto& [alias, target] : recipe.aliases) {
    if (!names.contains(target) || recipe.aliases.contains(target)) {
      refuse_tensor(alias,
                    fmt::format("is tied to {}, which is not a tensor of the file", quoted_name(target)));
    }
  }
  for (const auto& [alias, target] : recipe.aliases) add(alias);
  check_folded(recipe);
}

}  // namespace parsimony::quant
