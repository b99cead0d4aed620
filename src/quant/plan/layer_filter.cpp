#include "quant/plan/layer_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/count_of.hpp"
#include "core/name_pattern.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {
namespace {

// The standard library's regular expressions recurse with the length of the text, so a text is cut here.
constexpr std::size_t kLongestName = 1024;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Weights of PyTorch's recurrent layers and cells: weight_ih_l0, weight_hh_l1_reverse, weight_hr_l0,
// weight_ih.
bool recurrent(std::string_view name) {
  constexpr std::string_view kReverse = "_reverse";
  if (!name.starts_with("weight_ih") && !name.starts_with("weight_hh") && !name.starts_with("weight_hr"))
    return false;
  name.remove_prefix(9);
  if (name.empty()) return true;
  if (name.ends_with(kReverse)) name.remove_suffix(kReverse.size());
  return name.starts_with("_l") && is_number(name.substr(2));
}

// Beside names in "weight": recurrent layers, weight norm (weight_v, original1), spectral norm and pruning
// (weight_orig, original), and stacked experts of transformers.
bool named_as_weight(std::string_view name) {
  if (name.ends_with("weight")) return true;
  for (const std::string_view ending :
       {"parametrizations.weight.original1", "parametrizations.weight.original"}) {
    if (name.ends_with(ending)) return true;
  }
  if (const auto dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  return recurrent(name) || name == "weight_v" || name == "weight_orig" || name == "gate_up_proj" ||
         name == "down_proj";
}

bool along_one_dimension(const TensorInfo& tensor) {
  return std::count_if(tensor.shape.begin(), tensor.shape.end(), [](std::int64_t side) { return side > 1; }) <
         2;
}

std::optional<std::regex> expression(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  return name_pattern(option, text);
}

}  // namespace

LayerFilter::LayerFilter(const CompressOptions& options)
    : layers_(expression("layers", options.layers)), exclude_(expression("exclude", options.exclude)) {}

std::optional<LayerFilter::Reason> LayerFilter::reason_to_leave(const TensorInfo& tensor) const {
  const std::string name = tensor.name.substr(0, kLongestName);
  const std::size_t dimensions = tensor.shape.size();
  if (exclude_ && std::regex_search(name, *exclude_)) return Reason{"excluded by option exclude"};
  if (dimensions < 2) return Reason{dimensions == 1 ? "one dimension" : "a single value"};
  if (layers_ && !std::regex_search(name, *layers_))
    return Reason{"not among the layers that option layers asks for"};
  if (!has_float32_values(tensor.dtype)) {
    const bool floats = enum_name(tensor.dtype).find('F') != std::string_view::npos;
    return Reason{fmt::format("dtype {}; codes are made from F32, F16 and BF16", enum_name(tensor.dtype)),
                  !floats};
  }
  if (name.size() < tensor.name.size()) {
    return Reason{fmt::format("its name has {}; must have at most {}", count_of(tensor.name.size(), "byte"),
                              kLongestName),
                  false};
  }
  if (dimensions > 5)
    return Reason{fmt::format("{}; must have 2 to 5", count_of(dimensions, "dimension")), false};
  if (!layers_ && !named_as_weight(name)) {
    return Reason{"its name is not that of a weight; option layers takes it all the same",
                  along_one_dimension(tensor)};
  }
  if (tensor.values() == 0) return Reason{"empty"};
  if (tensor.values() > kMostValues) return Reason{"too large", false};
  return std::nullopt;
}

}  // namespace parsimony::quant
