#include "kernels/nearest_centroid.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/nearest_centroid.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/hamerly_bounds.hpp"
#include "kernels/scores-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The two least scores of each point among k centroids, and the first row that has the least: of the points
// of two vectors.
template <class F, class I>
HWY_INLINE void two_least(const float* x, int64_t d, const float* centroids, const float* half_norms,
                          int64_t k, F& best_of_0, F& best_of_1, F& second_of_0, F& second_of_1,
                          I& index_of_0, I& index_of_1) {
  const Lanes f;
  const hn::RebindToSigned<Lanes> i;
  const auto one = hn::Set(i, 1);
  auto best0 = hn::Set(f, std::numeric_limits<float>::infinity());
  auto best1 = best0, second0 = best0, second1 = best0;
  auto index0 = hn::Zero(i), index1 = index0, index = index0;
  const auto use = [&](int64_t, auto s0, auto s1) HWY_ATTR {
    const auto less0 = hn::Lt(s0, best0), less1 = hn::Lt(s1, best1);
    second0 = hn::Min(second0, hn::Max(best0, s0));
    second1 = hn::Min(second1, hn::Max(best1, s1));
    best0 = hn::Min(s0, best0);
    best1 = hn::Min(s1, best1);
    index0 = hn::IfThenElse(hn::RebindMask(i, less0), index, index0);
    index1 = hn::IfThenElse(hn::RebindMask(i, less1), index, index1);
    index = hn::Add(index, one);
  };
  if (kManyRegisters && d >= 4 && d <= 64 && k >= 4) {
    for_scores_interleaved(x, d, centroids, half_norms, k, use);
  } else {
    for_scores(x, d, centroids, half_norms, k, use);
  }
  best_of_0 = best0;
  best_of_1 = best1;
  second_of_0 = second0;
  second_of_1 = second1;
  index_of_0 = index0;
  index_of_1 = index1;
}

// The same of one vector of points of 8 columns, which stay in registers. AVX-512 broadcasts a coordinate of
// a centroid within the multiply-add; without that, two vectors that share the broadcast are faster.
template <class F, class I>
HWY_INLINE void two_least_of_eight(const float* x, const float* centroids, const float* half_norms, int64_t k,
                                   F& best_of, F& second_of, I& index_of) {
  const Lanes f;
  const hn::RebindToSigned<Lanes> i;
  const auto one = hn::Set(i, 1);
  const auto x0 = hn::Load(f, x), x1 = hn::Load(f, x + kTile), x2 = hn::Load(f, x + 2 * kTile);
  const auto x3 = hn::Load(f, x + 3 * kTile), x4 = hn::Load(f, x + 4 * kTile),
             x5 = hn::Load(f, x + 5 * kTile);
  const auto x6 = hn::Load(f, x + 6 * kTile), x7 = hn::Load(f, x + 7 * kTile);
  auto best = hn::Set(f, std::numeric_limits<float>::infinity()), second = best;
  auto nearest = hn::Zero(i), index = nearest;
  for (int64_t c = 0; c < k; ++c) {
    const float* HWY_RESTRICT from = centroids + c * 8;
    auto s = hn::NegMulAdd(hn::Set(f, from[0]), x0, hn::Set(f, half_norms[c]));
    s = hn::NegMulAdd(hn::Set(f, from[1]), x1, s);
    s = hn::NegMulAdd(hn::Set(f, from[2]), x2, s);
    s = hn::NegMulAdd(hn::Set(f, from[3]), x3, s);
    s = hn::NegMulAdd(hn::Set(f, from[4]), x4, s);
    s = hn::NegMulAdd(hn::Set(f, from[5]), x5, s);
    s = hn::NegMulAdd(hn::Set(f, from[6]), x6, s);
    s = hn::NegMulAdd(hn::Set(f, from[7]), x7, s);
    const auto less = hn::Lt(s, best);
    second = hn::Min(second, hn::Max(best, s));
    best = hn::Min(s, best);
    nearest = hn::IfThenElse(hn::RebindMask(i, less), index, nearest);
    index = hn::Add(index, one);
  }
  best_of = best;
  second_of = second;
  index_of = nearest;
}

void NearestCentroid(const float* tiles, int64_t tile_count, int64_t d, const float* centroids,
                     const float* half_norms, int64_t k, int32_t* nearest, float* best, float* second) {
  const Lanes f;
  const hn::RebindToSigned<Lanes> i;
  using F = hn::Vec<Lanes>;
  using I = hn::Vec<decltype(i)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  for (int64_t tile = 0; tile < tile_count; ++tile) {
    for (int64_t t = 0; t < kTile; t += 2 * lanes) {
      F best0, best1, second0, second1;
      I index0, index1;
      two_least(tiles + tile * d * kTile + t, d, centroids, half_norms, k, best0, best1, second0, second1,
                index0, index1);
      const int64_t at = tile * kTile + t;
      hn::StoreU(index0, i, nearest + at);
      hn::StoreU(index1, i, nearest + at + lanes);
      hn::StoreU(best0, f, best + at);
      hn::StoreU(best1, f, best + at + lanes);
      hn::StoreU(second0, f, second + at);
      hn::StoreU(second1, f, second + at + lanes);
    }
  }
}

void NearestInGroups(const float* tiles, int64_t tile_count, int64_t d, const CentroidGroups& groups,
                     const int32_t* compare, int32_t* nearest, float* others, int64_t stride) {
  const Lanes f;
  const hn::RebindToSigned<Lanes> i;
  using F = hn::Vec<Lanes>;
  using I = hn::Vec<decltype(i)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const bool single = kAvx512 && d == 8;
  const int64_t together = single ? lanes : 2 * lanes;
  HWY_ALIGN float second[kMostGroups * kTile / 2];  // for each compared group, two vectors of points
  // The better of the nearest so far and that of group g; of equal ones the smaller number.
  const auto take = [&](int32_t g, F score, I row, F& best, I& index, I& group) HWY_ATTR {
    const I number = hn::GatherIndex(i, groups.index + groups.begin[g], row);
    const auto less = hn::Or(hn::RebindMask(i, hn::Lt(score, best)),
                             hn::And(hn::RebindMask(i, hn::Eq(score, best)), hn::Lt(number, index)));
    best = hn::Min(score, best);
    index = hn::IfThenElse(less, number, index);
    group = hn::IfThenElse(less, hn::Set(i, g), group);
  };
  // Leaves the nearest itself out of its group.
  const auto leave_out = [&](int32_t g, I group, const float* seconds, float* out) HWY_ATTR {
    const auto own = hn::RebindMask(f, hn::Eq(group, hn::Set(i, g)));
    hn::StoreU(hn::IfThenElse(own, hn::Load(f, seconds), hn::LoadU(f, out)), f, out);
  };
  for (int64_t tile = 0; tile < tile_count; ++tile) {
    for (int64_t t = 0; t < kTile; t += together) {
      const int64_t at = tile * kTile + t;
      int32_t bits = 0;
      for (int64_t lane = 0; lane < together; ++lane) bits |= compare[at + lane];
      if (bits == 0) continue;
      F best0 = hn::Set(f, std::numeric_limits<float>::infinity()), best1 = best0;
      I index0 = hn::Zero(i), index1 = index0, group0 = index0, group1 = index0;
      const float* x = tiles + tile * d * kTile + t;
      for (int32_t g = 0; g < groups.groups; ++g) {
        if ((bits >> g & 1) == 0) continue;
        const int64_t begin = groups.begin[g], k = groups.begin[g + 1] - begin;
        const float *centroids = groups.centroids + begin * d, *half_norms = groups.half_norms + begin;
        F least0, least1, second0, second1;
        I row0, row1;
        if (single) {
          two_least_of_eight(x, centroids, half_norms, k, least0, second0, row0);
        } else {
          two_least(x, d, centroids, half_norms, k, least0, least1, second0, second1, row0, row1);
          take(g, least1, row1, best1, index1, group1);
          hn::StoreU(least1, f, others + g * stride + at + lanes);
          hn::Store(second1, f, second + (2 * g + 1) * lanes);
        }
        take(g, least0, row0, best0, index0, group0);
        hn::StoreU(least0, f, others + g * stride + at);
        hn::Store(second0, f, second + 2 * g * lanes);
      }
      hn::StoreU(index0, i, nearest + at);
      if (!single) hn::StoreU(index1, i, nearest + at + lanes);
      for (int32_t g = 0; g < groups.groups; ++g) {
        if ((bits >> g & 1) == 0) continue;
        float* out = others + g * stride + at;
        leave_out(g, group0, second + 2 * g * lanes, out);
        if (!single) leave_out(g, group1, second + (2 * g + 1) * lanes, out + lanes);
      }
    }
  }
}

void CandidateDistances(const float* tiles, int64_t tile_count, int64_t d, const float* norms,
                        const float* centroids, const float* half_norms, int64_t k, const float* current,
                        float* out, int64_t out_stride) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto two = hn::Set(f, 2.0f), zero = hn::Zero(f);
  for (int64_t tile = 0; tile < tile_count; ++tile) {
    for (int64_t t = 0; t < kTile; t += 2 * lanes) {
      const int64_t at = tile * kTile + t;
      const auto norm0 = hn::LoadU(f, norms + at), norm1 = hn::LoadU(f, norms + at + lanes);
      const auto now0 = hn::LoadU(f, current + at), now1 = hn::LoadU(f, current + at + lanes);
      for_scores(tiles + tile * d * kTile + t, d, centroids, half_norms, k,
                 [&](int64_t c, auto s0, auto s1) HWY_ATTR {
                   float* to = out + c * out_stride + at;
                   hn::StoreU(hn::Min(now0, hn::Max(zero, hn::MulAdd(two, s0, norm0))), f, to);
                   hn::StoreU(hn::Min(now1, hn::Max(zero, hn::MulAdd(two, s1, norm1))), f, to + lanes);
                 });
    }
  }
}

// Four columns of four rows at a time through registers.
void PackTiles(const PointRows& points, int64_t count, float* tiles) {
  const int64_t d = points.d, padded = (count + kTile - 1) / kTile * kTile;
  const auto row = [&](int64_t t) { return points.row(t); };
  for (int64_t t = 0; t < padded; t += 4) {
    float* to = tiles + t / kTile * d * kTile + t % kTile;
    int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
    if (t + 4 <= count) {
      const hn::CappedTag<float, 4> f;
      const hn::Repartition<uint64_t, decltype(f)> pairs;
      const float *r0 = row(t), *r1 = row(t + 1), *r2 = row(t + 2), *r3 = row(t + 3);
      for (; j + 4 <= d; j += 4) {
        const auto shift = hn::LoadU(f, points.shift + j);
        const auto v0 = hn::Sub(hn::LoadU(f, r0 + j), shift), v1 = hn::Sub(hn::LoadU(f, r1 + j), shift);
        const auto v2 = hn::Sub(hn::LoadU(f, r2 + j), shift), v3 = hn::Sub(hn::LoadU(f, r3 + j), shift);
        const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(f, v0, v1));
        const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(f, v2, v3));
        const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(f, v0, v1));
        const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(f, v2, v3));
        hn::Store(hn::BitCast(f, hn::InterleaveLower(pairs, low01, low23)), f, to + j * kTile);
        hn::Store(hn::BitCast(f, hn::InterleaveUpper(pairs, low01, low23)), f, to + (j + 1) * kTile);
        hn::Store(hn::BitCast(f, hn::InterleaveLower(pairs, high01, high23)), f, to + (j + 2) * kTile);
        hn::Store(hn::BitCast(f, hn::InterleaveUpper(pairs, high01, high23)), f, to + (j + 3) * kTile);
      }
    }
#endif
    for (int64_t s = 0; s < 4; ++s) {
      const float* from = t + s < count ? row(t + s) : nullptr;
      for (int64_t jj = j; jj < d; ++jj) to[jj * kTile + s] = from ? from[jj] - points.shift[jj] : 0.0f;
    }
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(PackTiles);
HWY_EXPORT(NearestCentroid);
HWY_EXPORT(NearestInGroups);
HWY_EXPORT(CandidateDistances);

void pack_tiles(const PointRows& points, std::int64_t count, float* tiles) {
  HWY_DYNAMIC_DISPATCH(PackTiles)(points, count, tiles);
}

void nearest_centroid(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* centroids,
                      const float* half_norms, std::int64_t k, std::int32_t* nearest, float* best,
                      float* second) {
  HWY_DYNAMIC_DISPATCH(NearestCentroid)
  (tiles, tile_count, d, centroids, half_norms, k, nearest, best, second);
}

void nearest_in_groups(const float* tiles, std::int64_t tile_count, std::int64_t d,
                       const CentroidGroups& groups, const std::int32_t* compare, std::int32_t* nearest,
                       float* others, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(NearestInGroups)(tiles, tile_count, d, groups, compare, nearest, others, stride);
}

void candidate_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* norms,
                         const float* centroids, const float* half_norms, std::int64_t k,
                         const float* current, float* out, std::int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(CandidateDistances)
  (tiles, tile_count, d, norms, centroids, half_norms, k, current, out, out_stride);
}

namespace scalar {
namespace {

float score(const float* tiles, std::int64_t t, std::int64_t d, const float* centroid, float half_norm) {
  for (std::int64_t j = 0; j < d; ++j)
    half_norm -= tiles[(t / kTile * d + j) * kTile + t % kTile] * centroid[j];
  return half_norm;
}

}  // namespace

void pack_tiles(const PointRows& points, std::int64_t count, float* tiles) {
  const std::int64_t padded = (count + kTile - 1) / kTile * kTile;
  for (std::int64_t t = 0; t < padded; ++t) {
    for (std::int64_t j = 0; j < points.d; ++j) {
      tiles[(t / kTile * points.d + j) * kTile + t % kTile] = t < count ? points.value(t, j) : 0.0f;
    }
  }
}

void nearest_centroid(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* centroids,
                      const float* half_norms, std::int64_t k, std::int32_t* nearest, float* best,
                      float* second) {
  for (std::int64_t t = 0; t < tile_count * kTile; ++t) {
    best[t] = second[t] = std::numeric_limits<float>::infinity();
    nearest[t] = 0;
    for (std::int64_t c = 0; c < k; ++c) {
      const float s = score(tiles, t, d, centroids + c * d, half_norms[c]);
      if (s < best[t]) {
        second[t] = best[t];
        best[t] = s;
        nearest[t] = static_cast<std::int32_t>(c);
      } else {
        second[t] = std::min(second[t], s);
      }
    }
  }
}

void nearest_in_groups(const float* tiles, std::int64_t tile_count, std::int64_t d,
                       const CentroidGroups& groups, const std::int32_t* compare, std::int32_t* nearest,
                       float* others, std::int64_t stride) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < tile_count * kTile; ++t) {
    if (compare[t] == 0) continue;
    std::vector<float> scores(groups.begin[groups.groups], infinity);
    std::int32_t best = -1;
    for (std::int32_t g = 0; g < groups.groups; ++g) {
      if ((compare[t] >> g & 1) == 0) continue;
      for (std::int32_t c = groups.begin[g]; c < groups.begin[g + 1]; ++c) {
        scores[c] = score(tiles, t, d, groups.centroids + c * d, groups.half_norms[c]);
        if (best < 0 || scores[c] < scores[best] ||
            (scores[c] == scores[best] && groups.index[c] < groups.index[best]))
          best = c;
      }
    }
    nearest[t] = groups.index[best];
    scores[best] = infinity;
    for (std::int32_t g = 0; g < groups.groups; ++g) {
      if ((compare[t] >> g & 1) == 0) continue;
      others[g * stride + t] =
          *std::min_element(scores.begin() + groups.begin[g], scores.begin() + groups.begin[g + 1]);
    }
  }
}

void candidate_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* norms,
                         const float* centroids, const float* half_norms, std::int64_t k,
                         const float* current, float* out, std::int64_t out_stride) {
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t t = 0; t < tile_count * kTile; ++t) {
      const float distance = norms[t] + 2 * score(tiles, t, d, centroids + c * d, half_norms[c]);
      out[c * out_stride + t] = std::min(current[t], std::max(0.0f, distance));
    }
  }
}

}  // namespace scalar
}  // namespace parsimony::kernels
#endif
