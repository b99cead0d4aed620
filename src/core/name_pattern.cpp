#include "core/name_pattern.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"

namespace parsimony {

std::regex name_pattern(std::string_view option, const std::string& text) {
  auto flags = std::regex::ECMAScript | std::regex::optimize;
#ifdef __GLIBCXX__
  flags |= std::regex_constants::__polynomial;
#endif
  try {
    return std::regex(text, flags);
  } catch (const std::regex_error& error) {
    refuse(fmt::format("{}: '{}' is not a regular expression: {}", option, text, error.what()));
  }
}

}  // namespace parsimony
