// Regular expressions by which a user picks names.
#pragma once

#include <regex>
#include <string>
#include <string_view>

namespace parsimony {

/// Throws invalid_argument, naming the option, for text that is no regular expression. Where the standard
/// library can match in polynomial time it does, so that no expression hangs; it has no back references then.
std::regex name_pattern(std::string_view option, const std::string& text);

}  // namespace parsimony
