// Splits text into words.
#pragma once

#include <cstddef>
#include <string_view>

namespace parsimony::data {

/// Length in bytes of the first match of the pattern of GPT-2 [radford2019language] in a non-empty text:
///
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// The pattern matches everywhere, so that the words together are the text.
std::size_t first_word(std::string_view text);

}  // namespace parsimony::data
