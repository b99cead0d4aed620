#include "kernels/targets.hpp"

// Some kernels are built for AVX-512 with VNNI and VBMI, too.
#define HWY_WANT_AVX3_DL
#include <hwy/highway.h>

namespace parsimony::kernels {

std::vector<std::string> targets() {
  std::vector<std::string> names;
  // In Highway a smaller bit is a better target.
  for (auto left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    names.emplace_back(hwy::TargetName(left & -left));
  }
  return names;
}

}  // namespace parsimony::kernels
