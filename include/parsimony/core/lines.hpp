// The lines of a text.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace parsimony {

/// The lines without their ends, \n or \r\n; the last one may lack its end. None of an empty text. O(size).
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace parsimony
