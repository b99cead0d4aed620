// Regular expressions that select names.
#pragma once

#include <regex>
#include <string>
#include <string_view>

namespace parsimony {

/// Throws invalid_argument with the name of the option if the text is not a regular expression, has more than
/// 1000 characters, or repeats a part more than 100 times by {}. With libstdc++ matching takes polynomial
/// time, so that no expression hangs, and back references are not available.
std::regex name_pattern(std::string_view option, const std::string& text);

}  // namespace parsimony
