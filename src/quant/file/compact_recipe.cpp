#include "quant/file/compact_recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/count_of.hpp"
#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/version.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kMostRecipeBytes = std::size_t{16} << 20;

template <class Enum>
Enum enum_of(const std::string& text, const char* what) {
  for (const auto& [value, name] : names_of(Enum{})) {
    if (name == text) return value;
  }
  throw Error(ErrorCode::format, fmt::format("{1} is not a {0} of the format", what, quoted_name(text)));
}

// Fields that the weights of a group share. A field with the format's default is left out.
OrderedJson group_of(const WeightRecipe& weight) {
  OrderedJson group{{"scheme", enum_name(weight.scheme)}, {"bits", weight.bits}};
  if (weight.dtype != DType::float32) group["dtype"] = enum_name(weight.dtype);
  if (!weight.kind.empty()) group["kind"] = weight.kind;
  if (!weight.axes.standard()) {
    group["outputs"] = weight.axes.outputs;
    group["inputs"] = weight.axes.inputs;
  }
  if (weight.scheme == Scheme::integer) {
    if (weight.group > 0) group["group"] = weight.group;
    if (weight.levels != LevelKind::uniform) group["levels"] = true;
    if (weight.packed_zeros) group["packed_zeros"] = true;
    return group;
  }
  if (weight.layout != BlockLayout::row) group["layout"] = enum_name(weight.layout);
  if (!weight.codebook.empty() && weight.codebook != weight.name + "_codebook") {
    group["codebook"] = weight.codebook;
  }
  if (weight.scales > 0) group["scaled"] = true;
  if (weight.permuted) group["permuted"] = true;
  return group;
}

std::string recipe_text(const CompactRecipe& recipe) {
  std::vector<std::pair<OrderedJson, OrderedJson>> groups;
  std::map<std::string, std::size_t> index;
  for (const WeightRecipe& weight : recipe.weights) {
    OrderedJson group = group_of(weight);
    const auto [found, is_new] = index.try_emplace(group.dump(), groups.size());
    if (is_new) groups.emplace_back(std::move(group), OrderedJson::array());
    groups[found->second].second.push_back(weight.name);
  }
  OrderedJson root{{"groups", OrderedJson::array()}};
  for (auto& [group, names] : groups) {
    group["weights"] = std::move(names);
    root["groups"].push_back(std::move(group));
  }
  if (!recipe.aliases.empty()) root["aliases"] = recipe.aliases;
  OrderedJson halves = OrderedJson::array();
  bool halved = false;
  for (const OtherRecipe& other : recipe.others) {
    if (other.dtype == DType::float16) halves.push_back(other.name);
    halved = halved || other.dtype != other.stored_dtype;
  }
  if (halved) root["halves"] = std::move(halves);
  OrderedJson folded = OrderedJson::array();
  for (const OtherRecipe& other : recipe.others) {
    const std::string_view name = other.name;
    if (other.implied && name.ends_with(kRunningMean)) {
      folded.push_back(name.substr(0, name.size() - kRunningMean.size()));
    }
  }
  if (!folded.empty()) root["folded"] = std::move(folded);
  return root.dump();
}

std::vector<int> dimensions_of(const std::string& key, const Json& value) {
  std::vector<int> dimensions;
  for (const Json& dimension : value) {
    if (!value.is_array() || !dimension.is_number_integer() || dimension.get<std::int64_t>() < 0 ||
        dimension.get<std::int64_t>() > 4) {
      throw Error(ErrorCode::format, fmt::format("{} must be a list of dimensions, 0 to 4", key));
    }
    dimensions.push_back(dimension.get<int>());
  }
  return dimensions;
}

WeightRecipe read_group(const Json& group) {
  WeightRecipe weight;
  for (const auto& [key, value] : group.items()) {
    if (key == "scheme") {
      weight.scheme = enum_of<Scheme>(value.get<std::string>(), "scheme");
    } else if (key == "bits") {
      if (!value.is_number_integer()) throw Error(ErrorCode::format, "bits must be a whole number");
      const auto bits = value.get<std::int64_t>();
      if (bits < 1 || bits > 16) {
        throw Error(ErrorCode::format,
                    fmt::format("codes have {}; must have 1 to 16", count_of(bits, "bit")));
      }
      weight.bits = static_cast<int>(bits);
    } else if (key == "dtype") {
      weight.dtype = enum_of<DType>(value.get<std::string>(), "dtype");
    } else if (key == "kind") {
      weight.kind = value.get<std::string>();
    } else if (key == "outputs") {
      weight.axes.outputs = dimensions_of(key, value);
    } else if (key == "inputs") {
      weight.axes.inputs = dimensions_of(key, value);
    } else if (key == "group") {
      if (!value.is_number_integer() || value.get<std::int64_t>() < 1) {
        throw Error(ErrorCode::format, "group must be a whole number above 0");
      }
      weight.group = value.get<std::int64_t>();
    } else if (key == "levels") {
      weight.levels = value.get<bool>() ? LevelKind::learned : LevelKind::uniform;
    } else if (key == "packed_zeros") {
      weight.packed_zeros = value.get<bool>();
    } else if (key == "layout") {
      weight.layout = enum_of<BlockLayout>(value.get<std::string>(), "layout");
    } else if (key == "codebook") {
      weight.codebook = value.get<std::string>();
    } else if (key == "scaled") {
      weight.scales = value.get<bool>() ? 1 : 0;
    } else if (key == "permuted") {
      weight.permuted = value.get<bool>();
    } else if (key != "weights") {
      throw Error(ErrorCode::format, fmt::format("a group must not have {}", quoted_name(key)));
    }
  }
  if (!group.contains("scheme") || !group.contains("bits") || !group.contains("weights")) {
    throw Error(ErrorCode::format, "a group must have scheme, bits and weights");
  }
  for (const char* key : {"layout", "codebook", "scaled", "permuted"}) {
    if (weight.scheme == Scheme::integer && group.contains(key)) {
      throw Error(ErrorCode::format, fmt::format("a group of integers must not have {}", key));
    }
  }
  for (const char* key : {"group", "levels", "packed_zeros"}) {
    if (weight.scheme == Scheme::product && group.contains(key)) {
      throw Error(ErrorCode::format, fmt::format("a group of products must not have {}", key));
    }
  }
  if (weight.scheme == Scheme::integer) weight.scales = 1;
  if (weight.scheme == Scheme::product && !group.contains("scaled")) weight.scales = 0;
  return weight;
}

void check_kind(const std::string& key, bool holds, const char* what) {
  if (!holds) throw Error(ErrorCode::format, fmt::format("{} must be {}", key, what));
}

ParsedRecipe read_recipe(const std::string& text) {
  check_kind("it", !nests_too_deep(text), "JSON of fewer lists and objects within each other");
  const Json root = Json::parse(text);
  check_kind("it", root.is_object(), "a JSON object");
  ParsedRecipe parsed;
  std::set<std::string> names;
  for (const auto& [key, value] : root.items()) {
    if (key == "groups") {
      check_kind(key, value.is_array(), "a list");
      for (const Json& group : value) {
        check_kind("a group", group.is_object(), "an object");
        WeightRecipe weight = read_group(group);
        check_kind("weights", group.at("weights").is_array(), "a list");
        for (const Json& name : group.at("weights")) {
          weight.name = name.get<std::string>();
          if (!names.insert(weight.name).second) {
            throw Error(ErrorCode::format, fmt::format("weight {} is there twice", quoted_name(weight.name)));
          }
          parsed.weights.push_back(weight);
        }
      }
    } else if (key == "aliases") {
      check_kind(key, value.is_object(), "an object");
      for (const auto& [alias, target] : value.items()) parsed.aliases[alias] = target.get<std::string>();
    } else if (key == "halves") {
      parsed.halved = true;
      parsed.halves = value.get<std::vector<std::string>>();
      std::sort(parsed.halves.begin(), parsed.halves.end());
    } else if (key == "folded") {
      parsed.folded = value.get<std::vector<std::string>>();
    } else {
      throw Error(ErrorCode::format, fmt::format("the recipe must not have {}", quoted_name(key)));
    }
  }
  return parsed;
}

}  // namespace

bool has_compact_metadata(const TensorMetadata& metadata) {
  const auto version = metadata.find(kVersionKey);
  return metadata.contains(kRecipeKey) ||
         (version != metadata.end() &&
          (version->second == kFirstDeflatedVersion || is_later_version(version->second)));
}

std::int64_t outputs_of(const WeightRecipe& weight) {
  return coded_shape(weight.shape, weight.axes)[0];
}

std::string codebook_name(const WeightRecipe& weight) {
  return weight.codebook.empty() ? weight.name + "_codebook" : weight.codebook;
}

std::string codebook_scale_name(const WeightRecipe& weight) {
  return codebook_name(weight) + "_scale";
}

DType permutation_dtype(std::int64_t channels) {
  return channels <= 1 << 8 ? DType::uint8 : channels <= 1 << 15 ? DType::int16 : DType::int32;
}

void check_recipe(const WeightRecipe& weight) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::invalid_argument, fmt::format("weight {}: {}", quoted_name(weight.name), what));
  };
  const bool integer = weight.scheme == Scheme::integer;
  if (weight.name.empty()) refuse("has no name");
  const std::int64_t size = checked_size(weight.shape), outputs = outputs_of(weight);
  if (!has_float32_values(weight.dtype)) refuse("its dtype in the model must be F32, F16 or BF16");
  const bool levels = weight.levels != LevelKind::uniform;
  const bool indices = integer && weight.scale_dtype == DType::uint8;
  if (weight.scale_dtype != DType::float32 && weight.scale_dtype != DType::float16 && !indices) {
    refuse(integer ? "its scales must be F32, F16 or U8" : "its factors must be F32 or F16");
  }
  if (indices ? weight.scale_values < 1 || weight.scale_values > 256 : weight.scale_values != 0) {
    refuse(fmt::format("{}; must be {}", count_of(weight.scale_values, "different scale"),
                       indices ? "1 to 256" : "0 unless scales are indices"));
  }
  if (weight.zero_point_dtype != DType::uint8 && weight.zero_point_dtype != DType::int32) {
    refuse("its zero points must be U8 or I32");
  }
  if (!integer && (weight.group != 0 || levels || weight.packed_zeros)) {
    refuse("is a product; only integers have groups, levels or packed zero points");
  }
  const std::int64_t n = size / outputs;
  if (weight.group < 0 || weight.group > n) {
    refuse(fmt::format("groups of {}; must have 1 to {}, the values of an output",
                       count_of(weight.group, "value"), n));
  }
  const std::int64_t most_scales = outputs * groups_of(n, weight.group), least_scales = integer ? 1 : 0;
  if (weight.scales != most_scales && (weight.group != 0 || weight.scales != least_scales)) {
    refuse(fmt::format("{}; must be {}{}", count_of(weight.scales, "scale"),
                       weight.group == 0 ? fmt::format("{} or ", least_scales) : "", most_scales));
  }
  if (weight.packed_zeros && (levels || weight.zero_point_dtype != DType::uint8)) {
    refuse("packs zero points that it does not have, or that do not fit its codes");
  }
  const int least = integer ? 2 : 1, most = integer ? 8 : 16;
  if (weight.bits < least || weight.bits > most) {
    refuse(fmt::format("codes have {}; must have {} to {}", count_of(weight.bits, "bit"), least, most));
  }
  if (integer) return;
  // Longer blocks would hold padding, and a small file could ask for a lot of memory.
  const BlockGrid grid = block_grid(coded_shape(weight.shape, weight.axes), weight.block_size, weight.layout);
  if (grid.block_size > grid.run_length()) {
    refuse(fmt::format("blocks have {}; must have at most {}, the values that are cut together",
                       count_of(grid.block_size, "value"), grid.run_length()));
  }
  if (weight.centroids < 1 || weight.centroids > std::int64_t{1} << weight.bits) {
    refuse(fmt::format("{}; codes of {} have 1 to {}", count_of(weight.centroids, "centroid"),
                       count_of(weight.bits, "bit"), std::int64_t{1} << weight.bits));
  }
  if (weight.codebook_scales != 1 &&
      (weight.codebook_type != CodebookType::int8 || weight.codebook_scales != weight.centroids)) {
    refuse(fmt::format("{} of the codebook; must be 1, or one for each centroid of int8",
                       count_of(weight.codebook_scales, "scale")));
  }
}

std::int64_t packed_bytes(const WeightRecipe& weight) {
  const std::int64_t codes =
      weight.scheme == Scheme::integer
          ? checked_size(weight.shape)
          : block_grid(coded_shape(weight.shape, weight.axes), weight.block_size, weight.layout).count();
  return (codes * weight.bits + 7) / 8;
}

bool is_metadata_of_model(std::string_view key) {
  return key == kNetworkKey || !key.starts_with("parsimony.");
}

TensorMetadata file_metadata(const CompactRecipe& recipe) {
  TensorMetadata metadata = recipe.metadata;
  std::erase_if(metadata, [](const auto& entry) { return !is_metadata_of_model(entry.first); });
  metadata.insert_or_assign(std::string(kVersionKey), std::string(kFormatVersion));
  metadata[std::string(kProducerKey)] = fmt::format("parsimony {}", version());
  try {
    metadata[std::string(kRecipeKey)] = recipe_text(recipe);
  } catch (const OrderedJson::exception&) {
    throw Error(ErrorCode::invalid_argument, "recipe: a name in it is not valid UTF-8");
  }
  return metadata;
}

ParsedRecipe parse_recipe(const SafetensorsFile& file) {
  const auto text = file.metadata().find(kRecipeKey);
  const auto version = file.metadata().find(kVersionKey);
  if (text == file.metadata().end() || version == file.metadata().end()) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: is not a compact file: its metadata has no {}; parsimony quantize writes such files",
                    file.name(), text == file.metadata().end() ? kRecipeKey : kVersionKey));
  }
  if (version->second != kFirstVersion && !is_later_version(version->second)) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: is a compact file of version {}; this library reads versions 1 to {}",
                            file.name(), quoted_name(version->second), kFormatVersion));
  }
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: {}: {}", file.name(), kRecipeKey, what));
  };
  if (text->second.size() > kMostRecipeBytes) {
    fail(fmt::format("{}; at most {} are read", count_of(text->second.size(), "byte"), kMostRecipeBytes));
  }
  ParsedRecipe parsed;
  try {
    parsed = read_recipe(text->second);
  } catch (const Json::exception&) {
    fail("is not JSON of the form in docs/formats/compact.md");
  } catch (const Error& error) {
    fail(error.what());
  }
  return parsed;
}

}  // namespace parsimony::quant
