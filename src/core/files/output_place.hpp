// Finds where the bytes of an output go.
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace parsimony {

struct OutputPlace {
  std::filesystem::path asked;   // as the caller named it, for messages
  std::filesystem::path file;    // not a link
  std::filesystem::path folder;  // where it lies
  int descriptor = -1;           // one that this process has: /dev/stdout, /dev/fd/3
  bool in_place = false;         // a pipe, a terminal or a device
  bool exists = false;
  struct stat info {};  // if it exists

  bool replaceable() const { return descriptor < 0 && !in_place; }
};

/// Throws io: a loop of links, a link that its folder does not allow to follow, a file below /dev, /proc or
/// /sys, a descriptor that is not open for writing.
OutputPlace output_place(const std::filesystem::path& path);

}  // namespace parsimony
