// A suggestion for a misspelt name.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace parsimony {

/// "; did you mean NAME?" for the name with the least Levenshtein distance to the text; empty if that
/// distance is above 2 and above a third of the length.
std::string nearest_name(std::string_view text, std::span<const std::string> names);

}  // namespace parsimony
