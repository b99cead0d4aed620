// SIMD targets that the kernels were built for and this machine can run.
#pragma once

#include <string>
#include <vector>

namespace parsimony::kernels {

/// Their Highway names, best first; each kernel uses the first that it was built for. All are built for all
/// but AVX3_DL, which only those have that gain by it.
std::vector<std::string> targets();

}  // namespace parsimony::kernels
