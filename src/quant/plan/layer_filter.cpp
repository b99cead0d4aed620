#include "quant/plan/layer_filter.hpp"

#include <fmt/format.h>

#include "core/name_pattern.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {
namespace {

// The standard library's regular expressions recurse with the length of the text, so a text is cut here.
constexpr std::size_t kLongestName = 1024;

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
  if (exclude_ && std::regex_search(name, *exclude_)) return Reason{"excluded"};
  if (dimensions < 2) return Reason{dimensions == 1 ? "one dimension" : "a single value"};
  if (layers_ && !std::regex_search(name, *layers_)) return Reason{"not among the layers asked for"};
  if (!has_float32_values(tensor.dtype)) {
    const bool floats = enum_name(tensor.dtype).find('F') != std::string_view::npos;
    return Reason{fmt::format("dtype {}; codes are made from F32, F16 and BF16", enum_name(tensor.dtype)),
                  !floats};
  }
  if (name.size() < tensor.name.size()) {
    return Reason{
        fmt::format("its name has {} bytes; must have at most {}", tensor.name.size(), kLongestName), false};
  }
  if (dimensions > 5) return Reason{fmt::format("{} dimensions; must have 2 to 5", dimensions), false};
  if (!layers_ && !name.ends_with("weight")) {
    return Reason{"its name does not end in weight, and option layers does not name it", false};
  }
  if (tensor.values() == 0) return Reason{"empty"};
  if (tensor.values() > kMostValues) return Reason{"too large", false};
  return std::nullopt;
}

}  // namespace parsimony::quant
