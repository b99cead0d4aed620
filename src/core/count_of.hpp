// Counts in messages: "1 edge", "2 edges".
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace parsimony {

/// The noun for a count: `one`, or `many`, which is `one` with an s unless it is given.
template <std::integral Count>
std::string noun_of(Count count, std::string_view one, std::string_view many = {}) {
  if (count == 1) return std::string(one);
  return many.empty() ? std::string(one) + 's' : std::string(many);
}

/// "1 edge", "0 edges": the count with its noun.
template <std::integral Count>
std::string count_of(Count count, std::string_view one, std::string_view many = {}) {
  return std::to_string(count) + ' ' + noun_of(count, one, many);
}

}  // namespace parsimony
