// Recognizes files that are often given in place of a safetensors file.
#pragma once

#include <string>
#include <string_view>

namespace parsimony {

/// The format of a file that is not safetensors, and a way to get one that is: a sentence that follows the
/// name of the file in a message. Empty for bytes of no known format. file: its name, for the commands that
/// the sentence names.
std::string other_format(std::string_view bytes, std::string_view file);

/// The first byte that is not a blank of JSON (space, tab, line feed, carriage return); 0 where there is
/// none.
char first_of_json(std::string_view text);

}  // namespace parsimony
