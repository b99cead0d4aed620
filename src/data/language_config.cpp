#include "parsimony/data/language_config.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

constexpr const char* kLanguageType = "transformer";

}  // namespace

std::string language_config_text(const LanguageConfig& config) {
  nlohmann::ordered_json json{{"model_type", kLanguageType},
                              {"heads", config.heads},
                              {"layers", config.layers},
                              {"first_position", config.first_position}};
  if (config.final_norm) json["final_norm"] = *config.final_norm;
  return json.dump();
}

LanguageConfig parse_language_config(std::string_view text, const std::string& name) {
  nlohmann::json json;
  if (!nests_too_deep(text)) json = nlohmann::json::parse(text, nullptr, false);
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", name, what));
  };
  if (!json.is_object() || json.value("model_type", nlohmann::json()) != kLanguageType) {
    fail(fmt::format("must be a JSON object with the \"model_type\" \"{}\"", kLanguageType));
  }
  const auto whole = [&](const char* key, std::int64_t low, std::int64_t high) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_unsigned() ||
        found->get<std::uint64_t>() < static_cast<std::uint64_t>(low) ||
        found->get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
      fail(fmt::format("\"{}\" must be a whole number of {} to {}", key, low, high));
    }
    return found->get<std::int64_t>();
  };
  LanguageConfig out{whole("heads", 1, 1024), whole("layers", 1, 4096), whole("first_position", 0, 1 << 20)};
  if (const auto norm = json.find("final_norm"); norm != json.end()) {
    if (!norm->is_boolean()) fail("\"final_norm\" must be true or false");
    out.final_norm = norm->get<bool>();
  }
  return out;
}

}  // namespace parsimony::data
