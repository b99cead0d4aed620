// Settings of a language model that its weights do not show, as its compact file tells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parsimony::data {

struct LanguageConfig {
  std::int64_t heads = 0;           ///< heads of attention
  std::int64_t layers = 0;          ///< with shared ones counted each time that they run
  std::int64_t first_position = 0;  ///< position of the first token
  /// Whether a norm follows the last layer. Files of earlier versions do not tell it.
  std::optional<bool> final_norm{};
};

/// The object {"model_type": "transformer", "heads": …, "layers": …, "first_position": …, "final_norm": …} as
/// a text.
std::string language_config_text(const LanguageConfig& config);

/// Reads such a text, which may be without final_norm; messages begin with the name. Throws format for
/// another one, with the key and its range.
LanguageConfig parse_language_config(std::string_view text, const std::string& name);

}  // namespace parsimony::data
