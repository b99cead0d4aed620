// Which SIMD targets the kernels were built for and this machine can run.
#pragma once

#include <string>
#include <vector>

namespace parsimony::kernels {

/// Highway's names, best first; the first is the one that kernels run with.
std::vector<std::string> targets();

}  // namespace parsimony::kernels
