// Traits of the target that kernels are compiled for. The including file is compiled once per target; the
// include guard therefore toggles.
#include <hwy/highway.h>

#if defined(PARSIMONY_REGISTERS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PARSIMONY_REGISTERS_INL_HPP
#undef PARSIMONY_REGISTERS_INL_HPP
#else
#define PARSIMONY_REGISTERS_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

// AVX-512 or better: of two targets, the better one has the smaller number.
inline constexpr bool kAvx512 = HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3;

// Whether the target has 32 vector registers rather than 16.
inline constexpr bool kManyRegisters = kAvx512 || HWY_ARCH_ARM_A64;

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
