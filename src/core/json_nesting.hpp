// A bound on lists and objects within each other in JSON.
#pragma once

#include <string_view>

namespace parsimony {

/// No file that this project reads has more than ten. Destroying and printing values takes stack for each
/// level.
inline constexpr int kMostJsonNesting = 100;

/// Whether lists and objects of the text lie more than kMostJsonNesting deep within each other. The text need
/// not be valid JSON. Call it before a parser that keeps all values.
bool nests_too_deep(std::string_view json);

}  // namespace parsimony
