// The weights of an attention from its scores.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// A row of softmax() is padded to a multiple of this.
inline constexpr std::int64_t kSoftmaxPadding = 16;

/// x[i] = exp(scale · (x[i] − max x)) / Σ_j exp(scale · (x[j] − max x)) for the first `count` ≥ 1 values, and
/// 0 up to `padded`, a multiple of 16. scale > 0. Relative error below 1e-6. No pointer needs alignment.
void softmax(float* x, std::int64_t count, std::int64_t padded, float scale);

/// The same in plain C++, as a reference for tests.
void softmax_scalar(float* x, std::int64_t count, std::int64_t padded, float scale);

}  // namespace parsimony::kernels
