#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <numeric>
#include <set>

#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/file/compact_deflated.hpp"
#include "quant/file/compact_recipe.hpp"

namespace parsimony::quant {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(ErrorCode::invalid_argument, fmt::format("tensor {}: {}", quoted_name(name), what));
}

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
      refuse(name, fmt::format("{} is not within {} bits", values[i], 8 * sizeof(T)));
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

// The values exactly, or an error.
std::vector<std::uint8_t> exact_bytes(std::span<const float> values, DType dtype, const std::string& name) {
  for (const float value : values) {
    if (!std::isfinite(value)) refuse(name, fmt::format("holds {}; must be finite", value));
    if (dtype == DType::float16 && from_half(to_half(value)) != value) {
      refuse(name, fmt::format("holds {}, which is no half", value));
    }
  }
  return tensor_bytes(values, dtype);
}

std::vector<std::uint8_t> codebook_bytes(const Codebook& codebook, const std::string& name) {
  const auto values = codebook.centroids.values();
  if (codebook.type != CodebookType::int8) return exact_bytes(values, codebook_dtype(codebook.type), name);
  std::vector<std::int32_t> levels(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float level = std::nearbyint(values[i] / codebook.scale);
    if (!(std::abs(level) <= 127) || level * codebook.scale != values[i]) {
      refuse(name,
             fmt::format("holds {}, which is no multiple of {} from -127 to 127", values[i], codebook.scale));
    }
    levels[i] = static_cast<std::int32_t>(level);
  }
  return integers<std::int8_t>(std::span<const std::int32_t>(levels), name);
}

// The tensors of a weight in the file, with their bytes where there are values, otherwise without.
class Stored {
 public:
  void add(const WeightRecipe& weight, const QuantizedTensor* tensor) {
    check_recipe(weight);
    const std::string& name = weight.name;
    add(
        name + "_packed", DType::uint8, {packed_bytes(weight)}, [&] { return tensor->packed; }, tensor);
    add(
        name + "_shape", DType::int64, {std::ssize(weight.shape)},
        [&] {
          return integer_bytes(std::span<const std::int64_t>(weight.shape), DType::int64, name + "_shape");
        },
        tensor);
    if (weight.scales > 0) {
      add(
          name + "_scale", weight.scale_dtype, {weight.scales},
          [&] { return exact_bytes(tensor->scale, weight.scale_dtype, name + "_scale"); }, tensor);
    }
    if (weight.scheme == Scheme::integer) {
      add(
          name + "_zero_point", weight.zero_point_dtype, {weight.scales},
          [&] {
            return integer_bytes(std::span<const std::int32_t>(tensor->zero_point), weight.zero_point_dtype,
                                 name + "_zero_point");
          },
          tensor);
      return;
    }
    if (weight.permuted) {
      add(
          name + "_permutation", permutation_dtype(weight.shape[1]), {weight.shape[1]},
          [&] {
            return integer_bytes(std::span<const std::int32_t>(tensor->channel_permutation),
                                 permutation_dtype(weight.shape[1]), name + "_permutation");
          },
          tensor);
    }
    add_codebook(weight, tensor);
  }

  void add(const OtherRecipe& other, const TensorView* view) {
    const bool halved = other.dtype == DType::float32 && other.stored_dtype == DType::float16;
    if (other.stored_dtype != other.dtype && !halved)
      refuse(other.name, "only F32 is stored as another dtype, F16");
    TensorView stored{other, {}};
    stored.dtype = other.stored_dtype;
    if (view != nullptr && view->dtype == other.stored_dtype) {
      stored.data = view->data;
    } else if (view != nullptr) {
      buffers_.push_back(tensor_bytes(float32_values(*view), other.stored_dtype));
      stored.data = buffers_.back();
    }
    tensors.push_back(std::move(stored));
  }

  std::vector<TensorView> tensors;

 private:
  template <class Bytes>
  void add(std::string name, DType dtype, std::vector<std::int64_t> shape, const Bytes& bytes,
           const QuantizedTensor* tensor) {
    TensorView view{{std::move(name), dtype, std::move(shape)}, {}};
    if (tensor != nullptr) {
      buffers_.push_back(bytes());
      view.data = buffers_.back();
    }
    tensors.push_back(std::move(view));
  }

  void add_codebook(const WeightRecipe& weight, const QuantizedTensor* tensor) {
    const std::string name = codebook_name(weight);
    const auto [found, is_new] = codebooks_.try_emplace(name, Shared{weight, tensor});
    if (!is_new) {
      const auto& [first, values] = found->second;
      if (first.block_size != weight.block_size || first.centroids != weight.centroids ||
          first.codebook_type != weight.codebook_type ||
          (tensor != nullptr && values->codebook != tensor->codebook)) {
        refuse(weight.name,
               fmt::format("does not have the codebook {} of {}", name, quoted_name(first.name)));
      }
      return;
    }
    const DType dtype = codebook_dtype(weight.codebook_type);
    add(
        name, dtype, {weight.centroids, weight.block_size},
        [&] { return codebook_bytes(*tensor->codebook, name); }, tensor);
    if (dtype != DType::int8) return;
    add(
        codebook_scale_name(weight), DType::float32, {1},
        [&] {
          const float scale = tensor->codebook->scale;
          return exact_bytes({&scale, 1}, DType::float32, codebook_scale_name(weight));
        },
        tensor);
  }

  struct Shared {
    WeightRecipe first;
    const QuantizedTensor* tensor;
  };
  std::map<std::string, Shared> codebooks_;
  std::deque<std::vector<std::uint8_t>> buffers_;  // whose elements stay where they are
};

void check_names(const CompactRecipe& recipe) {
  std::set<std::string_view> names;
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second) refuse(name, "is there twice");
  };
  for (const WeightRecipe& weight : recipe.weights) add(weight.name);
  for (const OtherRecipe& other : recipe.others) add(other.name);
  for (const auto& [alias, target] : recipe.aliases) {
    if (!names.contains(target) || recipe.aliases.contains(target)) {
      refuse(alias, fmt::format("is tied to {}, which is no tensor of the file", quoted_name(target)));
    }
  }
  for (const auto& [alias, target] : recipe.aliases) add(alias);
}

// Decoded, a weight is there as float32 and as the bytes of its dtype.
void check_memory(const TensorInfo& weight, const std::string& file) {
  const double bytes =
      static_cast<double>(weight.values()) * sizeof(float) + static_cast<double>(weight.bytes());
  const double memory =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (bytes <= memory) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: tensor {}: decoding it takes {:.1f} GB; this machine has {:.1f} GB", file,
                          quoted_name(weight.name), bytes / 1e9, memory / 1e9));
}

// What recipe_of would say, but for what it leaves open.
void check_tensor(const WeightRecipe& weight, const QuantizedTensor& tensor) {
  try {
    check_codes(tensor);
  } catch (const Error& error) {
    refuse(weight.name, error.what());
  }
  const bool product = weight.scheme == Scheme::product;
  const bool same =
      tensor.shape == weight.shape && tensor.scheme == weight.scheme && tensor.bits == weight.bits &&
      std::ssize(tensor.scale) == weight.scales &&
      (!product || (tensor.layout == weight.layout && tensor.codebook->centroids.rows() == weight.centroids &&
                    tensor.codebook->centroids.cols() == weight.block_size &&
                    tensor.codebook->type == weight.codebook_type &&
                    tensor.channel_permutation.empty() != weight.permuted));
  if (!same) refuse(weight.name, "is not in codes as its recipe says");
}

}  // namespace

std::vector<TensorInfo> stored_tensors(const CompactRecipe& recipe) {
  check_names(recipe);
  Stored stored;
  for (const WeightRecipe& weight : recipe.weights) stored.add(weight, nullptr);
  for (const OtherRecipe& other : recipe.others) stored.add(other, nullptr);
  return {stored.tensors.begin(), stored.tensors.end()};
}

std::int64_t planned_size(const CompactRecipe& recipe) {
  const std::vector<TensorInfo> tensors = stored_tensors(recipe);
  return recipe.deflated ? deflated_size(tensors, recipe) : safetensors_size(tensors, file_metadata(recipe));
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
  weight.scales = std::ssize(tensor.scale);
  if (half_scales && std::all_of(tensor.scale.begin(), tensor.scale.end(), is_half)) {
    weight.scale_dtype = DType::float16;
  }
  if (tensor.scheme == Scheme::integer) {
    const bool bytes = std::all_of(tensor.zero_point.begin(), tensor.zero_point.end(), is_byte);
    weight.zero_point_dtype = bytes ? DType::uint8 : DType::int32;
    return weight;
  }
  weight.layout = tensor.layout;
  weight.block_size = tensor.codebook->centroids.cols();
  weight.centroids = tensor.codebook->centroids.rows();
  weight.codebook_type = tensor.codebook->type;
  weight.permuted = !tensor.channel_permutation.empty();
  return weight;
}

void write_compact_file(const std::filesystem::path& path, const CompactModel& model) {
  const CompactRecipe& recipe = model.recipe;
  if (model.weights.size() != recipe.weights.size() || model.others.size() != recipe.others.size()) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a recipe of {} weights and {} other tensors; there are {} and {}", recipe.weights.size(),
                    recipe.others.size(), model.weights.size(), model.others.size()));
  }
  check_names(recipe);
  Stored stored;
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    check_tensor(recipe.weights[i], model.weights[i]);
    stored.add(recipe.weights[i], &model.weights[i]);
  }
  for (std::size_t i = 0; i < recipe.others.size(); ++i) {
    const OtherRecipe& other = recipe.others[i];
    const TensorView& view = model.others[i];
    const bool dtype = view.dtype == other.dtype || view.dtype == other.stored_dtype;
    if (view.name != other.name || view.shape != other.shape || !dtype) {
      refuse(other.name, "is not as its recipe says");
    }
    stored.add(other, &view);
  }
  if (recipe.deflated) return write_deflated(path, stored.tensors, recipe);
  write_safetensors(path, stored.tensors, file_metadata(recipe));
}

void write_decompressed(const std::filesystem::path& path, const CompactModel& model,
                        const Context& context) {
  const CompactRecipe& recipe = model.recipe;
  std::vector<TensorInfo> tensors;
  for (const WeightRecipe& weight : recipe.weights) {
    tensors.push_back({weight.name, weight.dtype, weight.shape});
    check_memory(tensors.back(), model.storage.empty() ? path.string() : model.storage.front().name());
  }
  tensors.insert(tensors.end(), recipe.others.begin(), recipe.others.end());
  std::map<std::string, std::size_t> index;  // of names of its own: tensors grows below
  for (std::size_t i = 0; i < tensors.size(); ++i) index.emplace(tensors[i].name, i);
  std::vector<std::size_t> sources(tensors.size());  // of whose values each is
  std::iota(sources.begin(), sources.end(), std::size_t{0});
  for (const auto& [alias, target] : recipe.aliases) {
    sources.push_back(index.at(target));
    TensorInfo tied = tensors[sources.back()];
    tied.name = alias;
    tensors.push_back(std::move(tied));
  }
  std::vector<std::uint8_t> buffer;  // of one tensor: decoded, they may be far more than the file
  std::int64_t done = 0;
  const auto bytes = [&](std::size_t i) -> std::span<const std::uint8_t> {
    context.check_cancelled();
    context.progress("decode", ++done, std::ssize(tensors));
    const std::size_t source = sources[i], weights = recipe.weights.size();
    if (source >= weights && model.others[source - weights].dtype == tensors[i].dtype) {
      return model.others[source - weights].data;
    }
    buffer.clear();
    buffer.shrink_to_fit();
    buffer = tensor_bytes(source < weights ? decode(model.weights[source], context)
                                           : float32_values(model.others[source - weights]),
                          tensors[i].dtype);
    return buffer;
  };
  write_safetensors(path, tensors, bytes, recipe.metadata);
}

}  // namespace parsimony::quant
