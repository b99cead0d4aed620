// The limit of memory holds for every allocation of the command, and the message about it needs no memory.
#pragma once

#include <string>
#include <string_view>

#include "parsimony/core/memory.hpp"

namespace parsimony::cli {

/// From here on an allocation that would lift the memory of the process above the limit throws
/// std::bad_alloc: estimates refuse a run before it starts, and this stops a run that takes more than they
/// said. bytes 0: no limit. run: the name of the run in the message about it, as "inspect".
void guard_memory(const MemoryLimit& limit, std::string_view run);

/// The limit that guard_memory() was given last.
MemoryLimit guarded_memory() noexcept;

/// "needs 1200000000 bytes (1.2 GB) beside the 15000000 (15.0 MB) in use; --max-memory allows 20000000 (20.0
/// MB)" of the first allocation that the limit refused; empty if it has refused none.
std::string refused_allocation();

/// Says on stderr that memory ran out, or which allocation which limit refused, in one line.
void say_out_of_memory() noexcept;

}  // namespace parsimony::cli
