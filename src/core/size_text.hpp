// Bytes as people read them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "core/count_of.hpp"

namespace parsimony {

/// "512 bytes", "3.4 kB", "31.4 MB" or "2.0 GB".
inline std::string size_text(std::int64_t bytes) {
  if (bytes < 1000) return count_of(bytes, "byte");
  const auto size = static_cast<double>(bytes);
  if (bytes < 999'950) return fmt::format("{:.1f} kB", size / 1e3);
  return bytes < 999'950'000 ? fmt::format("{:.1f} MB", size / 1e6) : fmt::format("{:.1f} GB", size / 1e9);
}

}  // namespace parsimony
