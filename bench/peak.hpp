// The arithmetic peak of a core, measured.
#pragma once

#include <cstdint>

namespace parsimony::bench {

/// Runs `rounds` of independent float32 multiply-adds on registers; returns the floating-point operations
/// done.
double multiply_adds(std::int64_t rounds, float& result);

}  // namespace parsimony::bench
