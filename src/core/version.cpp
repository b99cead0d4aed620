#include "parsimony/core/version.hpp"

#include "kernels/targets.hpp"

namespace parsimony {

std::string version() {
  return PARSIMONY_VERSION;
}

std::vector<std::string> simd_targets() {
  return kernels::targets();
}

std::string simd_target() {
  return kernels::targets().front();
}

}  // namespace parsimony
