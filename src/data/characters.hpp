// What kind a character of UTF-8 is, as far as cutting text into words needs it.
#pragma once

#include <cstddef>
#include <string_view>

namespace parsimony::data {

enum class CharacterClass { letter, number, space, other };

struct Character {
  CharacterClass kind;
  std::size_t length;  ///< bytes
};

/// Of a text that is not empty. By Unicode 14.0: what later versions added is `other`, and so is each byte
/// that is no UTF-8.
Character first_character(std::string_view text);

}  // namespace parsimony::data
