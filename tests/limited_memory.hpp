// A context with a limit of memory.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"

namespace parsimony::testing {

/// A context in which the process may use so many bytes more than now.
inline Context limited_memory(std::int64_t more, int threads = 1) {
  Context context(threads);
  context.memory.bytes = memory_in_use() + more;
  return context;
}

}  // namespace parsimony::testing
