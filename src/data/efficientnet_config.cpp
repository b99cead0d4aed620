// Implements read_padding of parsimony/data/efficientnet_shape.hpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/data/efficientnet_shape.hpp"

namespace parsimony::data {

std::optional<ConvolutionPadding> read_padding(const std::filesystem::path& config) {
  constexpr std::int64_t kLargestConfig = std::int64_t{1} << 24;
  if (!std::filesystem::exists(config)) return std::nullopt;
  const std::string text = read_file(config, kLargestConfig);
  nlohmann::json json;
  if (!nests_too_deep(text)) json = nlohmann::json::parse(text, nullptr, false);
  const auto fail = [&](const std::string& what) -> void {
    throw Error(ErrorCode::format, fmt::format("{}: {}", config.string(), what));
  };
  if (!json.is_object()) fail("must be a JSON object, as timm writes it");
  const auto found = json.find("architecture");
  if (found == json.end()) return std::nullopt;
  if (!found->is_string()) fail("\"architecture\" must be a text");
  const auto name = found->get<std::string>();
  if (name.find("efficientnet") == name.npos) {
    fail(fmt::format("\"architecture\" is {}; must be an EfficientNet", quoted_name(name)));
  }
  return name.starts_with("tf_") ? ConvolutionPadding::same : ConvolutionPadding::symmetric;
}

}  // namespace parsimony::data
