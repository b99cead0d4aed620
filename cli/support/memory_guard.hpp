// The limit of memory holds for every allocation of the command, and the message about it needs no memory.
#pragma once

#include "parsimony/core/memory.hpp"

namespace parsimony::cli {

/// From here on an allocation that would lift the memory of the process above the limit throws
/// std::bad_alloc: estimates refuse a run before it starts, and this stops a run that takes more than they
/// said. bytes 0: no limit.
void guard_memory(const MemoryLimit& limit);

/// The limit that guard_memory() was given last.
MemoryLimit guarded_memory() noexcept;

/// Says on stderr that memory ran out, or which limit stopped the run, in one line.
void say_out_of_memory() noexcept;

}  // namespace parsimony::cli
