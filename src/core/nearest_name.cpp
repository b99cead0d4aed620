#include "parsimony/core/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace parsimony {
namespace {

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] != b[j])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view text, std::span<const std::string> names) {
  const auto nearer = [&](const std::string& a, const std::string& b) {
    return distance(a, text) < distance(b, text);
  };
  const auto best = std::min_element(names.begin(), names.end(), nearer);
  if (best == names.end() || distance(*best, text) > std::max<std::size_t>(2, text.size() / 3)) return "";
  return fmt::format("; did you mean {}?", *best);
}

}  // namespace parsimony
