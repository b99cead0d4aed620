#include "data/text/words.hpp"

#include "data/text/characters.hpp"

namespace parsimony::data {
namespace {

constexpr std::string_view kEndings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

}  // namespace

std::size_t first_word(std::string_view text) {
  for (const std::string_view ending : kEndings) {
    if (text.starts_with(ending)) return ending.size();
  }
  std::size_t end = text[0] == ' ' && text.size() > 1 ? 1 : 0;
  const CharacterClass kind = first_character(text.substr(end)).kind;
  std::size_t last = 0;  // begin of the last character of the run
  if (kind == CharacterClass::space) end = 0;
  while (end < text.size()) {
    const Character next = first_character(text.substr(end));
    if (next.kind != kind) break;
    last = end;
    end += next.length;
  }
  // The last space before a word belongs to the word.
  return kind == CharacterClass::space && end < text.size() && last > 0 ? last : end;
}

}  // namespace parsimony::data
