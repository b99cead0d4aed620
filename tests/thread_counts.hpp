// The numbers of threads that must give the bytes of one thread.
#pragma once

#include <array>

namespace parsimony::testing {

#if defined(PARSIMONY_SANITIZED)
inline constexpr std::array kThreadCounts{3};  // enough to find a race, and sanitizers are slow
#else
inline constexpr std::array kThreadCounts{2, 3, 8};
#endif

}  // namespace parsimony::testing
