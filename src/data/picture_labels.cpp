#include "data/picture_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "parsimony/core/error.hpp"

namespace parsimony::data {

PictureLabels parse_picture_labels(std::string_view text, const std::string& name) {
  PictureLabels out;
  for (std::int64_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!row.empty() && (row.back() == '\r' || row.back() == ' ' || row.back() == '\t'))
      row.remove_suffix(1);
    if (row.empty()) continue;
    const std::size_t space = row.find_last_of(" \t");
    std::int64_t label = -1;
    if (space != row.npos) {
      const auto [stop, error] = std::from_chars(row.data() + space + 1, row.data() + row.size(), label);
      if (error != std::errc() || stop != row.data() + row.size()) label = -1;
    }
    if (label < 0 || label >= kMostPictureClasses) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: line {}: must have a file name and the number of its class, 0 to {}", name,
                              line, kMostPictureClasses - 1));
    }
    std::string_view file = row.substr(0, space);
    file = file.substr(0, file.find_last_not_of(" \t") + 1);
    if (!out.emplace(last_part(file), label).second) {
      throw Error(ErrorCode::format, fmt::format("{}: line {}: {} has a label already", name, line, file));
    }
  }
  return out;
}

}  // namespace parsimony::data
