// The memory of this process: the limit that is set for it, its use and its peak.
#pragma once

#include <cstdint>

namespace parsimony {

/// The bytes that a whole run may use, with the inputs that it holds.
struct MemoryLimit {
  std::int64_t bytes = 0;  ///< 0: no limit
  /// Found by system_memory_limit() instead of chosen by the caller. A limit that the caller chose may lead
  /// to a plan that takes less memory; one of the system only refuses, so that results are the same on every
  /// machine.
  bool of_system = false;
};

/// The lowest memory limit of the cgroups of this process (Linux; versions 1 and 2), less what the kernel
/// takes for a process; no limit where none is set or where it is above the memory of the machine.
MemoryLimit system_memory_limit();

/// Resident bytes that belong to this process alone: not the pages of the program and of mapped files. 0
/// where the system does not tell. Takes some microseconds and no memory.
std::int64_t memory_in_use() noexcept;

/// The most bytes that were resident at once, pages of the program included. 0 where the system does not
/// tell.
std::int64_t peak_memory() noexcept;

}  // namespace parsimony
