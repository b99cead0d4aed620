// Version and SIMD target of this build.
#pragma once

#include <string>
#include <vector>

namespace parsimony {

/// "major.minor.patch" of the library.
std::string version();

/// The SIMD target that the kernels use on this machine, by its Highway name ("AVX2", "AVX3", "NEON", …).
std::string simd_target();

/// All targets that this build contains and this machine can run, best first.
std::vector<std::string> simd_targets();

}  // namespace parsimony
