#include "core/name_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

namespace {

// The standard library compiles and matches recursively: each character of an expression takes stack, and so
// does each turn of a counted repetition.
constexpr std::size_t kMostCharacters = 1000;
constexpr int kMostTurns = 100;

// The largest number in {} outside of brackets, or more where one has many digits.
int most_turns(std::string_view text) {
  int most = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      for (int number = 0; ++i < text.size() && text[i] != '}';) {
        number =
            text[i] >= '0' && text[i] <= '9' ? std::min(10 * number + (text[i] - '0'), 10 * kMostTurns) : 0;
        most = std::max(most, number);
      }
    }
  }
  return most;
}

}  // namespace

std::regex name_pattern(std::string_view option, const std::string& text) {
  auto flags = std::regex::ECMAScript | std::regex::optimize;
#ifdef __GLIBCXX__
  flags |= std::regex_constants::__polynomial;
#endif
  if (text.size() > kMostCharacters) {
    refuse(fmt::format("{}: a regular expression of {}; must have at most {}", option,
                       count_of(text.size(), "character"), kMostCharacters));
  }
  if (most_turns(text) > kMostTurns) {
    refuse(fmt::format("{}: '{}' repeats more than {} times; must have smaller numbers in {{}}", option, text,
                       kMostTurns));
  }
  try {
    return std::regex(text, flags);
  } catch (const std::regex_error& error) {
    refuse(fmt::format("{}: '{}' is not a regular expression: {}", option, text, error.what()));
  }
}

}  // namespace parsimony
