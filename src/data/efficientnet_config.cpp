// Implements read_padding and parse_padding of parsimony/data/efficientnet_shape.hpp.
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
  std::error_code failed;  // a folder that cannot be read: read_file() says so
  if (!std::filesystem::exists(config, failed) && !failed) return std::nullopt;
  return parse_padding(read_file(config, kLargestConfig), config.string());
}

std::optional<ConvolutionPadding> parse_padding(const std::string& text, const std::string& name) {
  nlohmann::json json;
  if (!nests_too_deep(text)) json = nlohmann::json::parse(text, nullptr, false);
  const auto fail = [&](const std::string& what) -> void {
    throw Error(ErrorCode::format, fmt::format("{}: {}", name, what));
  };
  if (!json.is_object()) fail("must be a JSON object, as timm writes it");
  const auto found = json.find("architecture");
  if (found == json.end()) return std::nullopt;
  if (!found->is_string()) fail("\"architecture\" must be a text");
  const auto architecture = found->get<std::string>();
  if (architecture.find("efficientnet") == architecture.npos) {
    fail(fmt::format("\"architecture\" is {}; must be an EfficientNet", quoted_name(architecture)));
  }
  return architecture.starts_with("tf_") ? ConvolutionPadding::same : ConvolutionPadding::symmetric;
}

}  // namespace parsimony::data
