// What this build is.
#pragma once

#include <string>
#include <vector>

namespace parsimony {

/// "major.minor.patch", the version of CMakeLists.txt.
std::string version();

/// The SIMD target that the kernels run with on this machine, as Highway names it ("AVX2", "AVX3", "NEON",
/// …).
std::string simd_target();

/// All targets that this build holds and this machine can run, best first.
std::vector<std::string> simd_targets();

}  // namespace parsimony
