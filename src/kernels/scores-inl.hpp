// Scores of tiles of points, for the kernels that compare each point of a tile with many rows. The including
// file is compiled once per target; the include guard therefore toggles.
#include <hwy/highway.h>

#include <cstdint>

#include "kernels/nearest_centroid.hpp"
#include "kernels/registers-inl.hpp"

#if defined(PARSIMONY_SCORES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PARSIMONY_SCORES_INL_HPP
#undef PARSIMONY_SCORES_INL_HPP
#else
#define PARSIMONY_SCORES_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, 16>;  // divides kTile / 2

// Subtracts the products of one column of four centroids (d apart) and two vectors of points.
template <class V>
HWY_INLINE void subtract_products(const V x0, const V x1, const float* HWY_RESTRICT c, int64_t d, V& a0,
                                  V& a1, V& b0, V& b1, V& c0, V& c1, V& d0, V& d1) {
  const Lanes f;
  const auto ca = hn::Set(f, c[0]), cb = hn::Set(f, c[d]);
  a0 = hn::NegMulAdd(ca, x0, a0);
  a1 = hn::NegMulAdd(ca, x1, a1);
  b0 = hn::NegMulAdd(cb, x0, b0);
  b1 = hn::NegMulAdd(cb, x1, b1);
  const auto cc = hn::Set(f, c[2 * d]), cd = hn::Set(f, c[3 * d]);
  c0 = hn::NegMulAdd(cc, x0, c0);
  c1 = hn::NegMulAdd(cc, x1, c1);
  d0 = hn::NegMulAdd(cd, x0, d0);
  d1 = hn::NegMulAdd(cd, x1, d1);
}

template <class V>
HWY_INLINE void one_score(const float* HWY_RESTRICT x, int64_t d, const float* HWY_RESTRICT c, float h, V& a0,
                          V& a1) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  a0 = a1 = hn::Set(f, h);
  for (int64_t j = 0; j < d; ++j) {
    const auto ca = hn::Set(f, c[j]);
    a0 = hn::NegMulAdd(ca, hn::Load(f, x + j * kTile), a0);
    a1 = hn::NegMulAdd(ca, hn::Load(f, x + j * kTile + lanes), a1);
  }
}

// Calls use(c, s0, s1) with the scores of centroid c for the points x[0 .. 2 lanes), c ascending.
template <class Use>
HWY_INLINE void for_scores(const float* x, int64_t d, const float* centroids, const float* half_norms,
                           int64_t k, const Use& use) {
  using V = hn::Vec<Lanes>;
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  int64_t c = 0;
  if constexpr (kManyRegisters) {
    // Sixteen independent chains of multiply-adds hide their latency: more than latency × the two that start
    // per cycle.
    for (; c + 8 <= k; c += 8) {
      const float* from = centroids + c * d;
      const float* h = half_norms + c;
      V a0 = hn::Set(f, h[0]), b0 = hn::Set(f, h[1]), c0 = hn::Set(f, h[2]), d0 = hn::Set(f, h[3]);
      V e0 = hn::Set(f, h[4]), f0 = hn::Set(f, h[5]), g0 = hn::Set(f, h[6]), h0 = hn::Set(f, h[7]);
      V a1 = a0, b1 = b0, c1 = c0, d1 = d0, e1 = e0, f1 = f0, g1 = g0, h1 = h0;
      for (int64_t j = 0; j < d; ++j) {
        const V x0 = hn::Load(f, x + j * kTile), x1 = hn::Load(f, x + j * kTile + lanes);
        subtract_products(x0, x1, from + j, d, a0, a1, b0, b1, c0, c1, d0, d1);
        subtract_products(x0, x1, from + 4 * d + j, d, e0, e1, f0, f1, g0, g1, h0, h1);
      }
      use(c, a0, a1);
      use(c + 1, b0, b1);
      use(c + 2, c0, c1);
      use(c + 3, d0, d1);
      use(c + 4, e0, e1);
      use(c + 5, f0, f1);
      use(c + 6, g0, g1);
      use(c + 7, h0, h1);
    }
  }
  for (; c + 4 <= k; c += 4) {
    const float* from = centroids + c * d;
    const float* h = half_norms + c;
    V a0 = hn::Set(f, h[0]), b0 = hn::Set(f, h[1]), c0 = hn::Set(f, h[2]), d0 = hn::Set(f, h[3]);
    V a1 = a0, b1 = b0, c1 = c0, d1 = d0;
    for (int64_t j = 0; j < d; ++j) {
      const V x0 = hn::Load(f, x + j * kTile), x1 = hn::Load(f, x + j * kTile + lanes);
      subtract_products(x0, x1, from + j, d, a0, a1, b0, b1, c0, c1, d0, d1);
    }
    use(c, a0, a1);
    use(c + 1, b0, b1);
    use(c + 2, c0, c1);
    use(c + 3, d0, d1);
  }
  for (; c < k; ++c) {
    V a0, a1;
    one_score(x, d, centroids + c * d, half_norms[c], a0, a1);
    use(c, a0, a1);
  }
}

// Like for_scores, for d >= 4, k >= 4 and 32 registers. Uses four scores between the products of the next
// four, so that minima and comparisons run in units that multiply-adds leave idle; a use that waits for all
// products of its scores would delay the next ones. It pays while d is not far above the cost of a use.
template <class Use>
HWY_INLINE void for_scores_interleaved(const float* x, int64_t d, const float* centroids,
                                       const float* half_norms, int64_t k, const Use& use) {
  using V = hn::Vec<Lanes>;
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  V a0 = hn::Set(f, half_norms[0]), b0 = hn::Set(f, half_norms[1]), c0 = hn::Set(f, half_norms[2]),
    d0 = hn::Set(f, half_norms[3]);
  V a1 = a0, b1 = b0, c1 = c0, d1 = d0;
  const auto column = [&](const float* from, int64_t j) HWY_ATTR {
    const V x0 = hn::Load(f, x + j * kTile), x1 = hn::Load(f, x + j * kTile + lanes);
    subtract_products(x0, x1, from + j, d, a0, a1, b0, b1, c0, c1, d0, d1);
  };
  for (int64_t j = 0; j < d; ++j) column(centroids, j);
  int64_t c = 4;
  for (; c + 4 <= k; c += 4) {
    const float* from = centroids + c * d;
    const float* h = half_norms + c;
    const V done_a0 = a0, done_a1 = a1, done_b0 = b0, done_b1 = b1;
    const V done_c0 = c0, done_c1 = c1, done_d0 = d0, done_d1 = d1;
    a0 = a1 = hn::Set(f, h[0]);
    b0 = b1 = hn::Set(f, h[1]);
    c0 = c1 = hn::Set(f, h[2]);
    d0 = d1 = hn::Set(f, h[3]);
    column(from, 0);
    use(c - 4, done_a0, done_a1);
    column(from, 1);
    use(c - 3, done_b0, done_b1);
    column(from, 2);
    use(c - 2, done_c0, done_c1);
    column(from, 3);
    use(c - 1, done_d0, done_d1);
    for (int64_t j = 4; j < d; ++j) column(from, j);
  }
  use(c - 4, a0, a1);
  use(c - 3, b0, b1);
  use(c - 2, c0, c1);
  use(c - 1, d0, d1);
  for (; c < k; ++c) {
    one_score(x, d, centroids + c * d, half_norms[c], a0, a1);
    use(c, a0, a1);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
