// The memory of this process: the limit that is set for it, its use and its peak.
#pragma once

#include <cstdint>
#include <string_view>

namespace parsimony {

/// Where a limit comes from.
enum class LimitSource : std::uint8_t { caller, cgroup, address_space };

/// "the limit", "this container or cgroup", "the address space (ulimit -v)".
std::string_view text_of(LimitSource source) noexcept;

/// The bytes that a whole run may use, with the inputs that it holds.
struct MemoryLimit {
  std::int64_t bytes = 0;  ///< 0: no limit
  LimitSource source = LimitSource::caller;

  /// Found by system_memory_limit() instead of chosen by the caller. A limit that the caller chose may lead
  /// to a plan that takes less memory; one of the system only refuses, so that results are the same on every
  /// machine.
  bool of_system() const noexcept { return source != LimitSource::caller; }
};

/// The lower one of two limits of this process (Linux); none where neither is set or both are above the
/// memory of the machine:
///  - the lowest memory limit of its cgroups (versions 1 and 2), less what the kernel takes for a process;
///  - RLIMIT_AS, less the addresses that are reserved now without memory, those of a stack for each core, and
///    64 MiB for libraries that cannot do without memory, as MPI. Batch systems set this limit.
MemoryLimit system_memory_limit();

/// The lower one of `max_memory`, which the caller has chosen (0: none), and system_memory_limit().
MemoryLimit memory_limit(std::int64_t max_memory);

/// Bytes that this process may still reserve below RLIMIT_AS; the largest number where there is no such
/// limit.
std::int64_t address_space_left() noexcept;

/// Resident bytes that belong to this process alone: not the pages of the program and of mapped files. 0
/// where the system does not tell. Takes some microseconds and no memory.
std::int64_t memory_in_use() noexcept;

/// The most bytes that were resident at once, pages of the program included. 0 where the system does not
/// tell.
std::int64_t peak_memory() noexcept;

}  // namespace parsimony
