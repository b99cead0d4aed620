// C libraries report a lack of memory in words of their own, or as a damaged file.
#pragma once

#include <cerrno>
#include <new>

namespace parsimony {

/// Tells apart calls of a C library that failed because memory ran out: malloc() then sets errno, and no
/// library sets it back.
class MemoryShortage {
 public:
  MemoryShortage() { errno = 0; }
  /// Throws std::bad_alloc if an allocation of this thread failed since construction.
  void check() const {
    if (errno == ENOMEM) throw std::bad_alloc();
  }
};

}  // namespace parsimony
