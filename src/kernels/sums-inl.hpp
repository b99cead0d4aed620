// Sums of the lanes of several vectors. The including file is compiled once per target; the include guard
// therefore toggles.
#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

#if defined(PARSIMONY_SUMS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PARSIMONY_SUMS_INL_HPP
#undef PARSIMONY_SUMS_INL_HPP
#else
#define PARSIMONY_SUMS_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// out[i] = the sum of the lanes of vectors[i]. The four of a full set are added side by side.
template <class D, std::size_t kCount>
HWY_INLINE void StoreSums(D d, const hn::Vec<D> (&vectors)[kCount], float* HWY_RESTRICT out) {
  if constexpr (kCount == 4) {
    const auto halved = [&](hn::Vec<D> a, hn::Vec<D> b)
                            HWY_ATTR { return hn::Add(hn::ConcatEven(d, b, a), hn::ConcatOdd(d, b, a)); };
    hn::Vec<D> all = halved(halved(vectors[0], vectors[1]), halved(vectors[2], vectors[3]));
    for (std::size_t lanes = hn::Lanes(d); lanes > 4; lanes /= 2) all = halved(all, all);
    float sums[hn::MaxLanes(D())];
    hn::StoreU(all, d, sums);
    std::memcpy(out, sums, 4 * sizeof(float));
  } else {
    for (std::size_t i = 0; i < kCount; ++i) out[i] = hn::GetLane(hn::SumOfLanes(d, vectors[i]));
  }
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
