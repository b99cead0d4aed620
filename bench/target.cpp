#include "bench/target.hpp"

#include <hwy/highway.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace parsimony::bench {

void choose_target(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

void choose_target_by_environment() {
  const char* given = std::getenv("PARSIMONY_BENCH_TARGET");
  if (given == nullptr) return;
  if (given != std::string_view("avx2")) {
    std::fprintf(stderr, "PARSIMONY_BENCH_TARGET: is %s; must be avx2\n", given);
    std::exit(2);
  }
  choose_target(HWY_AVX2);
}

}  // namespace parsimony::bench
