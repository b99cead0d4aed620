// Kinds of UTF-8 characters, as needed to split text into words.
#pragma once

#include <cstddef>
#include <string_view>

namespace parsimony::data {

enum class CharacterClass { letter, number, space, other };

struct Character {
  CharacterClass kind;
  std::size_t length;  ///< bytes
};

/// The first character of a non-empty text, by Unicode 14.0. Characters of later versions and bytes that are
/// not UTF-8 are `other`.
Character first_character(std::string_view text);

}  // namespace parsimony::data
