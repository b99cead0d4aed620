// UTF-8 and properties of its characters, as needed to split text into words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parsimony::data {

enum class CharacterClass { letter, number, space, other };

struct Character {
  CharacterClass kind;
  std::size_t length;  ///< bytes
};

/// The first character of a non-empty text, by Unicode 16.0. Characters of later versions and bytes that are
/// not UTF-8 are `other`.
Character first_character(std::string_view text);

constexpr char32_t kNotUtf8 = 0xFFFFFFFF;

struct CodePoint {
  char32_t value;      ///< kNotUtf8 for a byte that begins no character
  std::size_t length;  ///< bytes
};

/// The first character of a non-empty text as a number.
CodePoint first_code_point(std::string_view text);

void append_utf8(std::string& text, char32_t c);

bool is_space(char32_t c);        ///< property White_Space
bool is_punctuation(char32_t c);  ///< general category P of Unicode 8.0, and all signs of ASCII
bool is_invisible(
    char32_t c);  ///< general categories Cc (without tab and line ends), Cf, Co of Unicode 8.0; U+FFFD
bool is_chinese(char32_t c);  ///< ideographs that BERT takes as words

/// The canonical decomposition without non-spacing marks, which may leave nothing.
std::u32string without_marks(char32_t c);

std::u32string lower_case(char32_t c);

}  // namespace parsimony::data
