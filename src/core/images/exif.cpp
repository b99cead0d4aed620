#include "core/images/exif.hpp"

#include <cstddef>
#include <cstdint>

namespace parsimony {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112, kShort = 3;

}  // namespace

int exif_orientation(std::string_view exif) {
  if (exif.size() < 8) return 1;
  const bool little = exif.substr(0, 2) == "II";
  if (!little && exif.substr(0, 2) != "MM") return 1;
  const auto number = [&](std::size_t at, std::size_t width) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | static_cast<unsigned char>(exif[little ? at + width - 1 - i : at + i]);
    }
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (directory > exif.size() - 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries && directory + 2 + 12 * (i + 1) <= exif.size(); ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (number(at, 2) != kOrientationTag || number(at + 2, 2) != kShort) continue;
    const std::uint32_t found = number(at + 8, 2);
    return found >= 1 && found <= 8 ? static_cast<int>(found) : 1;
  }
  return 1;
}

std::string exif_of_orientation(int orientation) {
  if (orientation < 2 || orientation > 8) return {};
  // Big-endian: the directory at byte 8 has one entry, a short, and no next directory.
  std::string exif("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0", 26);
  exif[19] = static_cast<char>(orientation);
  return exif;
}

}  // namespace parsimony
