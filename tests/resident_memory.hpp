// The resident memory of this process (Linux).
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace parsimony::testing {

/// In bytes by its name in /proc/self/status (VmRSS, VmHWM), 0 where there is none.
inline std::int64_t resident(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

/// VmHWM starts anew. False where that cannot be, or where a sanitizer's memory counts too.
inline bool restart_peak() {
#if defined(PARSIMONY_SANITIZED)
  return false;
#else
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << 5 << std::flush);
#endif
}

}  // namespace parsimony::testing
