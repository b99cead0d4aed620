// Limits that packed layers are measured against: the byte permutes of a core, and a dense product in
// float32.
#pragma once

#include <cstdint>

#include "kernels/integer_product.hpp"

namespace parsimony::bench {

/// Runs `rounds` × 8 independent permutes of the kind that looks up 64 bytes in 128 (VBMI), and returns how
/// many; 0 where the processor has none.
double byte_permutes(std::int64_t rounds, std::uint8_t& result);

/// Runs `rounds` × 12 independent sums of products of bytes in lanes of 32 bits, as integer_product does, and
/// returns the multiply-adds. On the current SIMD target: see hwy::SetSupportedTargetsForTest.
double byte_products(std::int64_t rounds, kernels::IntegerRange range, std::int32_t& result);

/// y = W x, row-major, the best float32 loop that we know: four rows at once, two sums of a vector each.
void dense_product(const float* w, std::int64_t rows, std::int64_t cols, const float* x, float* y);

}  // namespace parsimony::bench
