#include "networks/show_compact.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {
namespace {

constexpr std::size_t kWidest = 60;  // characters of a column of names, at most

std::string printable(const std::string& name) {
  const std::string quoted = quoted_name(name);
  return quoted.substr(1, quoted.size() - 2);
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, "x"));
}

template <class Range>
std::size_t widest(const Range& items) {
  std::size_t width = 4;
  for (const auto& item : items) width = std::max(width, printable(item.name).size());
  return std::min(width, kWidest);
}

TensorInfo model_tensor(const quant::WeightRecipe& weight) {
  return {weight.name, weight.dtype, weight.shape};
}

struct Sum {
  std::int64_t count = 0, stored = 0, model = 0;
};

Sum sum_of_others(const quant::CompactRecipe& recipe) {
  Sum sum;
  for (const quant::OtherRecipe& other : recipe.others) {
    ++sum.count;
    sum.stored += other.implied ? 0 : other.values() * bits_of(other.stored_dtype) / 8;
    sum.model += other.bytes();
  }
  return sum;
}

// The dimensions that count the outputs, where they are not the first: " axis 0+1".
std::string axes_text(const quant::WeightAxes& axes) {
  return axes.standard() ? "" : fmt::format(" axis {}", fmt::join(axes.outputs, "+"));
}

// "int4 per channel", "levels4 in groups of 64", "pq of 9, 256 centroids, shared".
std::string scheme_text(const quant::WeightRecipe& weight) {
  if (weight.scheme == quant::Scheme::integer) {
    const bool table = weight.levels != quant::LevelKind::uniform;
    return fmt::format("{}{} {}{}", table ? "levels" : "int", weight.bits,
                       weight.group > 0     ? fmt::format("in groups of {}", weight.group)
                       : weight.scales == 1 ? "per tensor"
                                            : "per channel",
                       axes_text(weight.axes));
  }
  return fmt::format("pq of {}{}, {}{}{}{}", weight.block_size,
                     weight.layout == quant::BlockLayout::input_channels ? " channels" : "",
                     count_of(weight.centroids, "centroid"), weight.permuted ? ", permuted" : "",
                     weight.codebook.empty() ? "" : ", shared", axes_text(weight.axes));
}

// A line for each tensor that a reader may not expect, and one for each reason of the others.
std::string left_alone_text(std::span<const quant::LeftAlone> left_alone) {
  std::string text;
  std::map<std::string_view, std::vector<std::string_view>> expected;  // names by reason
  for (const quant::LeftAlone& left : left_alone) {
    if (left.expected) {
      expected[left.reason].push_back(left.name);
    } else {
      text += fmt::format("left alone: {}: {}\n", quoted_name(left.name), left.reason);
    }
  }
  for (const auto& [reason, names] : expected) {
    const std::string first = quoted_name(names.front());
    text += names.size() == 1 ? fmt::format("left alone: {}: {}\n", first, reason)
                              : fmt::format("left alone: {}, {} first: {}\n",
                                            count_of(names.size(), "tensor"), first, reason);
  }
  return text;
}

}  // namespace

std::string tensors_text(const SafetensorsFile& file) {
  const std::size_t width = widest(file.tensors());
  std::string text;
  for (const TensorView& tensor : file.tensors()) {
    text += fmt::format("{:<{}}  {:<4} {:<18} {:>12}\n", printable(tensor.name), width,
                        enum_name(tensor.dtype), shape_text(tensor.shape), tensor.bytes());
  }
  for (const auto& [key, value] : file.metadata())
    text += fmt::format("{} = {}\n", printable(key), printable(value));
  return text + fmt::format("{}, {}, {} of them the header\n", count_of(file.tensors().size(), "tensor"),
                            count_of(file.size(), "byte"), file.header_bytes());
}

std::int64_t listing_memory(const SafetensorsFile& file, bool json) {
  // The values of JSON are blocks of their own. A text grows by doubling and is copied to be printed.
  constexpr std::int64_t kJson = 1200, kLine = 45, kCopies = 5;
  const auto width = static_cast<std::int64_t>(widest(file.tensors()));
  std::int64_t bytes = 0;
  for (const TensorView& tensor : file.tensors()) {
    bytes += json ? kJson + kCopies * std::ssize(tensor.name) : kCopies * (kLine + width);
  }
  for (const auto& [key, value] : file.metadata())
    bytes += 2 * kCopies * (std::ssize(key) + std::ssize(value));
  return bytes;
}

std::string comparison_of_bytes(std::int64_t bytes, std::int64_t model_bytes) {
  const double ratio = static_cast<double>(model_bytes) / static_cast<double>(bytes);
  const std::string fewer = fmt::format("{:.2f}", ratio), more = fmt::format("{:.2f}", 1 / ratio);
  if (bytes == model_bytes) return "as many as";
  if (fewer == "1.00" || more == "1.00")
    return bytes < model_bytes ? "hardly fewer than" : "hardly more than";
  return bytes < model_bytes ? fewer + " times fewer than" : more + " times more than";
}

nlohmann::ordered_json tensors_json(const SafetensorsFile& file) {
  nlohmann::ordered_json root{{"bytes", file.size()}, {"header_bytes", file.header_bytes()}};
  root["metadata"] = nlohmann::json(file.metadata());
  root["tensors"] = nlohmann::ordered_json::array();
  for (const TensorView& tensor : file.tensors()) {
    root["tensors"].push_back({{"name", tensor.name},
                               {"dtype", enum_name(tensor.dtype)},
                               {"shape", tensor.shape},
                               {"bytes", tensor.bytes()}});
  }
  return root;
}

std::string compact_text(const quant::CompactRecipe& recipe, std::span<const double> relative_mse) {
  const std::vector<std::int64_t> bytes = quant::stored_bytes(recipe);
  const std::size_t width = widest(recipe.weights);
  std::string text = fmt::format("{:<{}}  {:<18} {:<28} {:>11} {:>11}{}\n", "weight", width, "shape", "codes",
                                 "bytes", "of", relative_mse.empty() ? "" : "     error");
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    const quant::WeightRecipe& weight = recipe.weights[i];
    text +=
        fmt::format("{:<{}}  {:<18} {:<28} {:>11} {:>11}", printable(weight.name), width,
                    shape_text(weight.shape), scheme_text(weight), bytes[i], model_tensor(weight).bytes());
    text += relative_mse.empty() ? "\n" : fmt::format("  {:.2e}\n", relative_mse[i]);
  }
  for (const auto& [alias, target] : recipe.aliases) {
    text += fmt::format("{:<{}}  tied to {}\n", printable(alias), width, printable(target));
  }
  const Sum others = sum_of_others(recipe);
  return text + fmt::format("{}: {} of {}\n", count_of(others.count, "other tensor"),
                            count_of(others.stored, "byte"), others.model);
}

nlohmann::ordered_json compact_json(const quant::CompactRecipe& recipe,
                                    std::span<const double> relative_mse) {
  const std::vector<std::int64_t> bytes = quant::stored_bytes(recipe);
  nlohmann::ordered_json root{{"model_bytes", quant::model_size(recipe)}};
  root["weights"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    const quant::WeightRecipe& weight = recipe.weights[i];
    nlohmann::ordered_json entry{{"name", weight.name},
                                 {"shape", weight.shape},
                                 {"dtype", enum_name(weight.dtype)},
                                 {"scheme", enum_name(weight.scheme)},
                                 {"bits", weight.bits},
                                 {"bytes", bytes[i]},
                                 {"model_bytes", model_tensor(weight).bytes()}};
    if (weight.scheme == quant::Scheme::product) {
      entry["block_size"] = weight.block_size;
      entry["centroids"] = weight.centroids;
      entry["layout"] = enum_name(weight.layout);
      entry["codebook"] = enum_name(weight.codebook_type);
    }
    if (weight.group > 0) entry["group"] = weight.group;
    if (weight.levels != quant::LevelKind::uniform) entry["levels"] = true;
    if (!weight.axes.standard()) entry["outputs"] = weight.axes.outputs;
    if (!weight.kind.empty()) entry["kind"] = weight.kind;
    if (!relative_mse.empty()) entry["relative_mse"] = relative_mse[i];
    root["weights"].push_back(std::move(entry));
  }
  const Sum others = sum_of_others(recipe);
  root["aliases"] =
      nlohmann::json(std::map<std::string, std::string>(recipe.aliases.begin(), recipe.aliases.end()));
  root["others"] = {{"count", others.count}, {"bytes", others.stored}, {"model_bytes", others.model}};
  return root;
}

std::string compression_text(const quant::Compression& made, const std::string& written) {
  return compact_text(made.recipe, made.relative_mse) + left_alone_text(made.left_alone) +
         fmt::format("{} {}, {} the model's {}\n", written.empty() ? "would be" : written + ":",
                     count_of(made.bytes, "byte"), comparison_of_bytes(made.bytes, made.model_bytes),
                     made.model_bytes);
}

nlohmann::ordered_json compression_json(const quant::Compression& made, const std::string& input,
                                        const std::string& written) {
  nlohmann::ordered_json root = report_json(made.report);
  root["input"] = {{"path", input}, {"bytes", made.model_bytes}};
  root["output"] = {{"path", written.empty() ? nlohmann::json() : nlohmann::json(written)},
                    {"bytes", made.bytes}};
  root["compact"] = compact_json(made.recipe, made.relative_mse);
  root["left_alone"] = nlohmann::ordered_json::array();
  for (const quant::LeftAlone& left : made.left_alone) {
    root["left_alone"].push_back({{"name", left.name}, {"reason", left.reason}, {"expected", left.expected}});
  }
  return root;
}

}  // namespace parsimony::cli
