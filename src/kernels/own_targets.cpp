// Highway's choice of a SIMD target, for programs that are linked without its library (PARSIMONY_STANDALONE).
#ifdef PARSIMONY_OWN_TARGETS
#define HWY_WANT_AVX3_DL
#include <hwy/highway.h>

namespace hwy {

std::int64_t SupportedTargets() {
#if HWY_ARCH_X86
  static const std::int64_t found = [] {
    __builtin_cpu_init();
    const auto has = [](auto... features) { return (features && ...); };
    std::int64_t targets = HWY_STATIC_TARGET;
    const bool ssse3 = __builtin_cpu_supports("ssse3"),
               sse4 = has(ssse3, __builtin_cpu_supports("sse4.1"), __builtin_cpu_supports("sse4.2"));
    // The builtins know whether the system keeps the wide registers.
    const bool avx2 = has(sse4, __builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"),
                          __builtin_cpu_supports("bmi2"), __builtin_cpu_supports("f16c"));
    const bool avx3 = has(avx2, __builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512vl"),
                          __builtin_cpu_supports("avx512dq"), __builtin_cpu_supports("avx512bw"));
    const bool more = has(avx3, __builtin_cpu_supports("avx512vnni"), __builtin_cpu_supports("avx512vbmi"),
                          __builtin_cpu_supports("avx512vbmi2"), __builtin_cpu_supports("avx512bitalg"),
                          __builtin_cpu_supports("avx512vpopcntdq"), __builtin_cpu_supports("vpclmulqdq"),
                          __builtin_cpu_supports("gfni"));
    if (ssse3) targets |= HWY_SSSE3;
    if (sse4) targets |= HWY_SSE4;
    if (avx2) targets |= HWY_AVX2;
    if (avx3) targets |= HWY_AVX3;
    if (more) targets |= HWY_AVX3_DL;
    return targets;
  }();
  return found;
#else
  return HWY_STATIC_TARGET;
#endif
}

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
#endif
