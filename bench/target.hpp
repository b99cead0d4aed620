// The SIMD target of the library's kernels in a benchmark.
#pragma once

#include <cstdint>

namespace parsimony::bench {

/// From now on the library's kernels are those of the best of these Highway targets; 0: of all that the
/// machine has.
void choose_target(std::int64_t targets);

/// With PARSIMONY_BENCH_TARGET=avx2 the kernels for AVX2, on a machine with wider registers too. Any other
/// value ends the program with a message.
void choose_target_by_environment();

}  // namespace parsimony::bench
