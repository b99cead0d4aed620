// labels.txt: the classes of pictures by their file names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace parsimony::data {

inline constexpr std::int64_t kMostPictureClasses = 1 << 20;

/// The part after the last slash.
inline std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

using PictureLabels = std::map<std::string, std::int64_t, std::less<>>;

/// A line for each picture: its name, blanks, and the number of its class, from 0 to kMostPictureClasses − 1.
/// Empty lines are left out; a name loses its folders. Throws format, with the name of the file and the line.
PictureLabels parse_picture_labels(std::string_view text, const std::string& name);

}  // namespace parsimony::data
