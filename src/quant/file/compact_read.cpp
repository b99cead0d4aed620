// Implements the reading of parsimony/quant/compact_file.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "core/count_of.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/file/compact_checksum.hpp"
#include "quant/file/compact_deflated.hpp"
#include "quant/file/compact_recipe.hpp"
#include "quant/file/memory_file.hpp"

namespace parsimony::quant {
namespace {

// Takes tensors from a file, remembers which were taken, and names file and tensor in errors.
class Reader {
 public:
  explicit Reader(const SafetensorsFile& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: tensor {}: {}", file_.name(), quoted_name(name), what));
  }

  // The tensor; fails unless it has one of these dtypes and so many dimensions.
  const TensorView& take(const std::string& name, std::initializer_list<DType> dtypes,
                         std::size_t dimensions) {
    const TensorView& tensor = file_.at(name);
    used_.insert(tensor.name);
    if (std::find(dtypes.begin(), dtypes.end(), tensor.dtype) == dtypes.end()) {
      fail(name, fmt::format("has dtype {}, which this tensor may not have", enum_name(tensor.dtype)));
    }
    if (tensor.shape.size() != dimensions) {
      fail(name, fmt::format("has {}; must have {}", count_of(tensor.shape.size(), "dimension"), dimensions));
    }
    return tensor;
  }

  std::vector<float> take_floats(const std::string& name) {
    return finite(take(name, {DType::float32, DType::float16}, 1));
  }

  std::vector<float> finite(const TensorView& tensor) const {
    std::vector<float> values = float32_values(tensor);
    for (const float value : values) {
      if (!std::isfinite(value)) fail(tensor.name, fmt::format("holds {}; must be finite", value));
    }
    return values;
  }

  template <class Out>
  std::vector<Out> take_integers(const std::string& name, std::initializer_list<DType> dtypes) {
    const TensorView& tensor = take(name, dtypes, 1);
    switch (tensor.dtype) {
      case DType::uint8:
        return integers<std::uint8_t, Out>(tensor);
      case DType::int16:
        return integers<std::int16_t, Out>(tensor);
      case DType::int32:
        return integers<std::int32_t, Out>(tensor);
      default:
        return integers<std::int64_t, Out>(tensor);
    }
  }

  bool used(const std::string& name) const { return used_.contains(name); }

 private:
  template <class T, class Out>
  static std::vector<Out> integers(const TensorView& tensor) {
    std::vector<Out> values(tensor.data.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
      T value = 0;
      std::memcpy(&value, tensor.data.data() + i * sizeof(T), sizeof(T));
      values[i] = static_cast<Out>(value);
    }
    return values;
  }

  const SafetensorsFile& file_;
  std::set<std::string_view> used_;
};

using Codebooks = std::map<std::string, std::shared_ptr<const Codebook>>;

std::shared_ptr<const Codebook> read_codebook(const WeightRecipe& weight, Reader& reader, Codebooks& known) {
  const std::string name = codebook_name(weight);
  std::shared_ptr<const Codebook>& shared = known[name];
  if (shared) return shared;
  const TensorView& tensor = reader.take(name, {DType::float32, DType::float16, DType::int8}, 2);
  const std::int64_t centroids = tensor.shape[0], block = tensor.shape[1];
  if (centroids < 1 || centroids > 1 << 16 || block < 1 || block > 4096) {
    reader.fail(name, fmt::format("has {} of {}; must have 1 to 65536 of 1 to 4096",
                                  count_of(centroids, "centroid"), count_of(block, "value")));
  }
  auto codebook = std::make_shared<Codebook>();
  codebook->centroids = Matrix<float>(centroids, block);
  const auto values = codebook->centroids.values();
  if (tensor.dtype == DType::int8) {
    codebook->scales = reader.take_floats(codebook_scale_name(weight));
    const std::int64_t scales = std::ssize(codebook->scales);
    const bool positive =
        std::all_of(codebook->scales.begin(), codebook->scales.end(), [](float scale) { return scale > 0; });
    if ((scales != 1 && scales != centroids) || !positive) {
      reader.fail(codebook_scale_name(weight),
                  fmt::format("must be one value above 0, or {} for as many centroids", centroids));
    }
    codebook->type = CodebookType::int8;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto level = static_cast<std::int8_t>(tensor.data[i]);
      if (level == -128) reader.fail(name, "holds -128; must be from -127 to 127");
      values[i] = static_cast<float>(level) * codebook->scale_of(static_cast<std::int64_t>(i) / block);
      if (!std::isfinite(values[i])) reader.fail(name, "has a centroid that its scale makes infinite");
    }
  } else {
    codebook->type = tensor.dtype == DType::float32 ? CodebookType::float32 : CodebookType::float16;
    const std::vector<float> read = reader.finite(tensor);
    std::copy(read.begin(), read.end(), values.begin());
  }
  return shared = codebook;
}

// The scales of integers: floats, or 8-bit indices of a list of floats.
void read_scales(WeightRecipe& weight, Reader& reader, QuantizedTensor& tensor) {
  const std::string name = weight.name + "_scale";
  const TensorView& scale = reader.take(name, {DType::float32, DType::float16, DType::uint8}, 1);
  weight.scale_dtype = scale.dtype;
  if (scale.dtype != DType::uint8) {
    tensor.scale = reader.finite(scale);
    return;
  }
  const std::vector<float> values = reader.finite(reader.take(name + "_values", {DType::float32}, 1));
  weight.scale_values = std::ssize(values);
  for (const std::uint8_t index : scale.data) {
    if (index >= values.size()) {
      reader.fail(name,
                  fmt::format("holds the index {}; there are {}", index, count_of(values.size(), "value")));
    }
    tensor.scale.push_back(values[index]);
  }
}

void read_zeros_or_levels(WeightRecipe& weight, Reader& reader, QuantizedTensor& tensor) {
  if (weight.levels != LevelKind::uniform) {
    tensor.levels = reader.finite(reader.take(weight.name + "_levels", {DType::float32}, 1));
    if (tensor.levels.empty()) reader.fail(weight.name + "_levels", "is empty");
    return;
  }
  const std::string name = weight.name + "_zero_point";
  if (!weight.packed_zeros) {
    tensor.zero_point = reader.take_integers<std::int32_t>(name, {DType::uint8, DType::int32});
    weight.zero_point_dtype = reader.take(name, {DType::uint8, DType::int32}, 1).dtype;
    return;
  }
  const TensorView& packed = reader.take(name, {DType::uint8}, 1);
  const std::int64_t count = std::ssize(tensor.scale);
  if (std::ssize(packed.data) != (count * weight.bits + 7) / 8) {
    reader.fail(name, fmt::format("has {}; {} of {} {} {}", count_of(packed.data.size(), "byte"),
                                  count_of(count, "zero point"), count_of(weight.bits, "bit"),
                                  noun_of(count, "takes", "take"), (count * weight.bits + 7) / 8));
  }
  const std::vector<std::uint16_t> zeros = unpack_codes(packed.data, weight.bits, count);
  tensor.zero_point.assign(zeros.begin(), zeros.end());
}

QuantizedTensor read_weight(WeightRecipe& weight, Reader& reader, Codebooks& codebooks,
                            const std::shared_ptr<const SafetensorsFile>& mapped) {
  const std::string& name = weight.name;
  QuantizedTensor tensor;
  tensor.shape = reader.take_integers<std::int64_t>(name + "_shape", {DType::int64});
  tensor.scheme = weight.scheme;
  tensor.bits = weight.bits;
  const TensorView& packed = reader.take(name + "_packed", {DType::uint8}, 1);
  tensor.packed = mapped ? PackedCodes(packed.data, mapped)
                         : PackedCodes(std::vector<std::uint8_t>(packed.data.begin(), packed.data.end()));
  tensor.axes = weight.axes;
  if (weight.scheme == Scheme::integer) {
    tensor.group = weight.group;
    read_scales(weight, reader, tensor);
    read_zeros_or_levels(weight, reader, tensor);
  } else {
    if (weight.scales > 0) {
      const TensorView& scale = reader.take(name + "_scale", {DType::float32, DType::float16}, 1);
      weight.scale_dtype = scale.dtype;
      tensor.scale = reader.finite(scale);
    }
    tensor.layout = weight.layout;
    tensor.codebook = read_codebook(weight, reader, codebooks);
    weight.block_size = tensor.codebook->centroids.cols();
    weight.centroids = tensor.codebook->centroids.rows();
    weight.codebook_type = tensor.codebook->type;
    if (weight.codebook_type == CodebookType::int8) {
      weight.codebook_scales = std::ssize(tensor.codebook->scales);
    }
    if (weight.permuted) {
      tensor.channel_permutation = reader.take_integers<std::int32_t>(
          name + "_permutation", {DType::uint8, DType::int16, DType::int32});
      if (tensor.channel_permutation.empty()) reader.fail(name + "_permutation", "is empty");
    }
  }
  weight.shape = tensor.shape;
  weight.scales = std::ssize(tensor.scale);
  try {
    check_codes(tensor);
    check_recipe(weight);
  } catch (const Error& error) {
    reader.fail(name, error.what());
  }
  return tensor;
}

// Adds the running means and variances of folded batch norms: views of zeros and ones that all of them share.
void add_folded(const std::vector<std::string>& folded, const Reader& reader, CompactModel& model,
                std::set<std::string_view>& names) {
  if (folded.empty()) return;
  std::map<std::string, const OtherRecipe*, std::less<>> weights;
  for (const OtherRecipe& other : model.recipe.others) weights.emplace(other.name, &other);
  std::vector<OtherRecipe> added;
  std::int64_t longest = 0;
  for (const std::string& name : folded) {
    const auto weight = weights.find(name + ".weight");
    if (name.empty() || weight == weights.end() || weight->second->dtype != DType::float32) {
      reader.fail(name + ".weight", "is of a folded batch norm; must be there as F32 values");
    }
    for (const std::string_view ending : {kRunningMean, kRunningVariance}) {
      added.push_back(*weight->second);
      added.back().name = name + std::string(ending);
      added.back().stored_dtype = DType::float32;
      added.back().implied = true;
    }
    longest = std::max(longest, weight->second->values());
  }
  const std::vector<float> zeros(static_cast<std::size_t>(longest), 0), ones(zeros.size(), 1);
  const std::vector<std::uint8_t> zero_bytes = tensor_bytes(zeros, DType::float32),
                                  one_bytes = tensor_bytes(ones, DType::float32);
  const std::vector<TensorView> constants{{{"ones", DType::float32, {longest}}, one_bytes},
                                          {{"zeros", DType::float32, {longest}}, zero_bytes}};
  const SafetensorsFile storage = safetensors_in_memory(constants, "folded batch norms");
  model.storage.push_back(storage);
  for (OtherRecipe& other : added) {
    const TensorView& values = storage.at(other.name.ends_with(kRunningMean) ? "zeros" : "ones");
    model.others.push_back(
        {static_cast<const TensorInfo&>(other), values.data.first(static_cast<std::size_t>(other.bytes()))});
    model.recipe.others.push_back(std::move(other));
  }
  for (std::size_t i = model.recipe.others.size() - added.size(); i < model.recipe.others.size(); ++i) {
    const std::string& name = model.recipe.others[i].name;
    if (!names.insert(name).second) reader.fail(name, "is of a folded batch norm and there itself");
  }
}

// The recipe as JSON and by weight, the tensors that are not views of the file, and a record of each tensor.
std::int64_t reading_memory(const SafetensorsFile& file, CodesIn codes) {
  constexpr std::int64_t kOfText = 8, kWeight = 3 * (sizeof(WeightRecipe) + sizeof(QuantizedTensor)),
                         kOther = 3 * (sizeof(OtherRecipe) + sizeof(TensorView)) + 128;
  const auto ends_in = [](std::string_view name, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
  };
  const auto recipe = file.metadata().find(kRecipeKey);
  std::int64_t bytes = recipe == file.metadata().end() ? 0 : kOfText * std::ssize(recipe->second);
  for (const TensorView& tensor : file.tensors()) {
    const std::int64_t size = std::ssize(tensor.data);
    if (tensor.name.ends_with("_packed")) {
      bytes += kWeight + (codes == CodesIn::memory ? size : 0);
    } else if (ends_in(tensor.name, {"_scale", "_zero_point", "_codebook", "_levels", "_permutation"})) {
      bytes += 4 * size;  // floats of float16 values, or 32-bit integers of bytes
    } else {
      bytes += kOther;
    }
  }
  return bytes;
}

}  // namespace

const QuantizedTensor* CompactModel::find_weight(std::string_view name) const {
  const auto alias = recipe.aliases.find(name);
  const std::string_view wanted = alias == recipe.aliases.end() ? name : std::string_view(alias->second);
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    if (recipe.weights[i].name == wanted) return &weights[i];
  }
  return nullptr;
}

void CompactModel::check_unchanged() const {
  for (const SafetensorsFile& file : storage) file.check_unchanged();
}

bool is_compact_file(const SafetensorsFile& file) {
  return has_compact_metadata(file.metadata());
}

CompactModel read_compact_file(const std::filesystem::path& path, const Context& context) {
  return read_compact_file(SafetensorsFile(path, context), CodesIn::memory, context);
}

CompactModel read_compact_file(const SafetensorsFile& file, CodesIn codes, const Context& context) {
  check_checksum(file, context);
  if (is_deflated(file)) {
    const SafetensorsFile plain = inflate_compact_file(file, context);
    if (is_deflated(plain)) {
      throw Error(
          ErrorCode::format,
          fmt::format("{}: holds a deflated file inside a deflated one; must hold a plain one", file.name()));
    }
    CompactModel model = read_compact_file(plain, codes, context);
    model.recipe.deflated = true;
    return model;
  }
  context.require_memory(reading_memory(file, codes), "reading " + file.name());
  ParsedRecipe parsed = parse_recipe(file);
  CompactModel model;
  model.storage.push_back(file);
  model.recipe.weights = std::move(parsed.weights);
  model.recipe.aliases = std::move(parsed.aliases);
  for (const auto& [key, value] : file.metadata()) {
    if (is_metadata_of_model(key)) model.recipe.metadata.emplace(key, value);
  }
  const auto mapped = codes == CodesIn::file ? std::make_shared<const SafetensorsFile>(file) : nullptr;
  Reader reader(file);
  Codebooks codebooks;
  std::set<std::string_view> names;
  for (WeightRecipe& weight : model.recipe.weights) {
    context.check_cancelled();
    model.weights.push_back(read_weight(weight, reader, codebooks, mapped));
    names.insert(weight.name);
  }
  for (const TensorView& tensor : file.tensors()) {
    if (reader.used(tensor.name)) continue;
    if (!names.insert(tensor.name).second)
      reader.fail(tensor.name, "is there in codes and as floats; must be there once");
    OtherRecipe other{static_cast<const TensorInfo&>(tensor), tensor.dtype};
    const bool halved = parsed.halved && tensor.dtype == DType::float16 &&
                        !std::binary_search(parsed.halves.begin(), parsed.halves.end(), tensor.name);
    if (halved) other.dtype = DType::float32;
    model.recipe.others.push_back(std::move(other));
    model.others.push_back(tensor);
  }
  for (const std::string& name : parsed.halves) {
    const TensorView* half = reader.used(name) ? nullptr : file.find(name);
    if (half == nullptr || half->dtype != DType::float16) {
      reader.fail(name, "is listed in halves; must be an F16 tensor that is not in codes");
    }
  }
  add_folded(parsed.folded, reader, model, names);
  for (const auto& [alias, target] : model.recipe.aliases) {
    if (names.contains(alias)) reader.fail(alias, "is tied to another tensor and there itself");
    if (!names.contains(target)) {
      reader.fail(alias, fmt::format("is tied to {}, which is not there", quoted_name(target)));
    }
  }
  return model;
}

}  // namespace parsimony::quant
