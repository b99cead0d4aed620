// dict.txt from memory.
#pragma once

#include <string>
#include <string_view>

#include "parsimony/data/word_dictionary.hpp"

namespace parsimony::data {

/// read_word_dictionary() on the text of a file; `name` stands for it in errors.
WordDictionary parse_word_dictionary(std::string_view text, const std::string& name);

}  // namespace parsimony::data
