// Bytes as people read them.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>

namespace parsimony {

/// "1 byte", "512 bytes", "3.4 kB" or "31.42 MB".
inline std::string size_text(double bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= (unit == 0 ? 1000 : 999.95) && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return bytes == 1 && unit == 0 ? "1 byte" : fmt::format("{:.4g} {}", bytes, kUnits[unit]);
}

}  // namespace parsimony
