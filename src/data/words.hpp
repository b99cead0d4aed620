// Where words end.
#pragma once

#include <cstddef>
#include <string_view>

namespace parsimony::data {

/// Bytes of the first match of the pattern of GPT-2 [radford2019language] in a text that is not empty:
///
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// which matches everywhere, so that the words make up the text.
std::size_t first_word(std::string_view text);

}  // namespace parsimony::data
