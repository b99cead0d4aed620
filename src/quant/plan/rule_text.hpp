// Text of rules for layers: "selector=word,selector=word", as the options scheme and axis have it.
#pragma once

#include <string>
#include <vector>

namespace parsimony::quant {

struct TextRule {
  std::string text;      ///< the whole rule
  std::string selector;  ///< before the last =; "*" where there is no =
  std::string word;
};

/// The parts of a text between the separators, one at least.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

inline std::vector<TextRule> text_rules(const std::string& text) {
  std::vector<TextRule> rules;
  for (const std::string& item : split(text, ',')) {
    const std::size_t at = item.rfind('=');
    rules.push_back(at == std::string::npos ? TextRule{item, "*", item}
                                            : TextRule{item, item.substr(0, at), item.substr(at + 1)});
  }
  return rules;
}

}  // namespace parsimony::quant
