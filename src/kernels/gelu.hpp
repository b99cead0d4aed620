// The activation of BERT and RoBERTa.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// x = x Φ(x), with Φ the distribution function of the standard normal distribution [hendrycks2016gelu], for
/// `count` values. Absolute error below 4e-7 · max(1, |x|), by formula 7.1.26 of [abramowitz1964handbook]. No
/// pointer needs alignment.
void gelu(float* x, std::int64_t count);

/// The same in plain C++ by the error function of the library, as a reference for tests.
void gelu_scalar(float* x, std::int64_t count);

}  // namespace parsimony::kernels
