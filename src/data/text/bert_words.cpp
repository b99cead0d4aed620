#include "data/text/bert_words.hpp"

#include <string>

#include "data/text/characters.hpp"

namespace parsimony::data {

void bert_words(std::string_view text, const BertText& options,
                const std::function<void(std::string_view)>& word) {
  std::string current;
  const auto end_word = [&] {
    if (!current.empty()) word(current);
    current.clear();
  };
  const auto add = [&](char32_t c) {
    if (is_space(c)) return end_word();
    if (!is_punctuation(c)) return append_utf8(current, c);
    end_word();
    append_utf8(current, c);
    end_word();
  };
  const auto add_lower = [&](char32_t c) {
    if (!options.lower_case) return add(c);
    for (const char32_t part : lower_case(c)) add(part);
  };
  while (!text.empty()) {
    const CodePoint next = first_code_point(text);
    text.remove_prefix(next.length);
    const char32_t c = next.value == kNotUtf8 ? 0xFFFD : next.value;
    if (options.clean && is_invisible(c)) continue;
    const bool alone = options.split_chinese && is_chinese(c);
    if (alone) end_word();
    if (options.strip_accents) {
      for (const char32_t part : without_marks(c)) add_lower(part);
    } else {
      add_lower(c);
    }
    if (alone) end_word();
  }
  end_word();
}

}  // namespace parsimony::data
