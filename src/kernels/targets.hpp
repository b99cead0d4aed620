// SIMD targets that the kernels were built for and this machine can run.
#pragma once

#include <string>
#include <vector>

namespace parsimony::kernels {

/// Their Highway names, best first; kernels use the first.
std::vector<std::string> targets();

}  // namespace parsimony::kernels
