// What somebody meant who wrote a name that does not exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace parsimony {

/// "; did you mean …?" for the nearest of the names by Levenshtein's distance; empty where none is near.
std::string nearest_name(std::string_view text, std::span<const std::string> names);

}  // namespace parsimony
