// Starts the workers of an arena of oneTBB, as many as the system allows.
#pragma once

#include <oneapi/tbb/task_arena.h>

namespace parsimony {

/// Returns how many threads work in the arena, the caller included: at most `threads`, at least 1. After 1
/// the arena must not be used.
///
/// oneTBB starts a worker when there is work for it, from any of its threads, and ends the process where the
/// system refuses. So this function first starts as many threads of its own, which shows how many there may
/// be, and then waits until oneTBB has started its workers, before data of the run fill the memory. Takes
/// about 20 µs a thread, once in a process for each number of threads.
int start_arena(oneapi::tbb::task_arena& arena, int threads);

}  // namespace parsimony
