#include "kernels/nearest_points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/nearest_points.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/scores-inl.hpp"

#ifndef PARSIMONY_NEAREST_POINTS_ONCE
#define PARSIMONY_NEAREST_POINTS_ONCE
namespace parsimony::kernels {
namespace {

bool before(float distance, std::int32_t id, float other_distance, std::int32_t other_id) {
  return distance < other_distance || (distance == other_distance && id < other_id);
}

// Inserts the candidate into the list of the slot and drops the last one.
void offer(const NearestLists& lists, std::int64_t slot, float distance, std::int32_t id) {
  float* distances = lists.distances + slot * lists.capacity;
  std::int32_t* ids = lists.ids + slot * lists.capacity;
  std::int64_t at = lists.capacity - 1;
  if (!before(distance, id, distances[at], ids[at])) return;
  for (; at > 0 && before(distance, id, distances[at - 1], ids[at - 1]); --at) {
    distances[at] = distances[at - 1];
    ids[at] = ids[at - 1];
  }
  distances[at] = distance;
  ids[at] = id;
}

}  // namespace
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

// Offers rows to the lists of the queries: distances(x, use) calls use(c, d0, d1) with the distances of row c
// to the points of two vectors at x, c ascending.
template <class Distances>
HWY_INLINE void OfferRows(const float* tiles, int64_t count, int64_t d, const PointBlock& points,
                          const int32_t* slots, const int32_t* own, const NearestLists& lists,
                          const Distances& distances) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  // The largest distance at which a candidate still enters each list; lanes that only fill up a tile take
  // none.
  HWY_ALIGN float worst[kTile];
  HWY_ALIGN float found[kTile];
  for (int64_t first = 0; first < count; first += kTile) {
    const float* tile = tiles + first * d;
    for (int64_t t = 0; t < kTile; ++t) {
      worst[t] = first + t < count ? lists.distances[(slots[first + t] + 1) * lists.capacity - 1]
                                   : -std::numeric_limits<float>::infinity();
    }
    for (int64_t t = 0; t < kTile && first + t < count; t += 2 * lanes) {
      auto worst0 = hn::Load(f, worst + t), worst1 = hn::Load(f, worst + t + lanes);
      distances(tile + t, [&](int64_t c, auto d0, auto d1) HWY_ATTR {
        // Most points are too far from every query.
        if (HWY_LIKELY(hn::AllFalse(f, hn::Or(hn::Le(d0, worst0), hn::Le(d1, worst1))))) return;
        hn::Store(d0, f, found + t);
        hn::Store(d1, f, found + t + lanes);
        const int32_t id = points.ids ? points.ids[c] : static_cast<int32_t>(c);
        for (int64_t u = t; u < t + 2 * lanes; ++u) {
          if (!(found[u] <= worst[u])) continue;
          const int32_t slot = slots[first + u];
          if (own && own[slot] == id) continue;
          offer(lists, slot, found[u], id);
          worst[u] = lists.distances[(slot + 1) * lists.capacity - 1];
        }
        worst0 = hn::Load(f, worst + t);
        worst1 = hn::Load(f, worst + t + lanes);
      });
    }
  }
}

void NearestPoints(const float* tiles, int64_t count, int64_t d, const PointBlock& points,
                   const int32_t* slots, const int32_t* own, const NearestLists& lists) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto two = hn::Set(f, 2.0f);
  OfferRows(tiles, count, d, points, slots, own, lists, [&](const float* x, const auto& use) HWY_ATTR {
    auto norm0 = hn::Zero(f), norm1 = hn::Zero(f);
    for (int64_t j = 0; j < d; ++j) {
      const auto x0 = hn::Load(f, x + j * kTile), x1 = hn::Load(f, x + j * kTile + lanes);
      norm0 = hn::MulAdd(x0, x0, norm0);
      norm1 = hn::MulAdd(x1, x1, norm1);
    }
    for_scores(x, d, points.rows, points.half_norms, points.count, [&](int64_t c, auto s0, auto s1) HWY_ATTR {
      use(c, hn::MulAdd(two, s0, norm0), hn::MulAdd(two, s1, norm1));
    });
  });
}

// Calls use(c, a0, a1) with the sums of the absolute differences of row c to the points x[0 .. 2 lanes), c
// ascending.
template <class Use>
HWY_INLINE void for_absolute_sums(const float* x, int64_t d, const float* rows, int64_t k, const Use& use) {
  using V = hn::Vec<Lanes>;
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto add = [&](const float* value, const V x0, const V x1, V& a0, V& a1) HWY_ATTR {
    const V c = hn::Set(f, *value);
    a0 = hn::Add(a0, hn::Abs(hn::Sub(x0, c)));
    a1 = hn::Add(a1, hn::Abs(hn::Sub(x1, c)));
  };
  int64_t c = 0;
  for (; c + 4 <= k; c += 4) {
    const float* from = rows + c * d;
    V a0 = hn::Zero(f), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (int64_t j = 0; j < d; ++j) {
      const V x0 = hn::Load(f, x + j * kTile), x1 = hn::Load(f, x + j * kTile + lanes);
      add(from + j, x0, x1, a0, a1);
      add(from + d + j, x0, x1, b0, b1);
      add(from + 2 * d + j, x0, x1, c0, c1);
      add(from + 3 * d + j, x0, x1, d0, d1);
    }
    use(c, a0, a1);
    use(c + 1, b0, b1);
    use(c + 2, c0, c1);
    use(c + 3, d0, d1);
  }
  for (; c < k; ++c) {
    V a0 = hn::Zero(f), a1 = a0;
    for (int64_t j = 0; j < d; ++j) {
      add(rows + c * d + j, hn::Load(f, x + j * kTile), hn::Load(f, x + j * kTile + lanes), a0, a1);
    }
    use(c, a0, a1);
  }
}

void NearestPointsManhattan(const float* tiles, int64_t count, int64_t d, const PointBlock& points,
                            const int32_t* slots, const int32_t* own, const NearestLists& lists) {
  OfferRows(tiles, count, d, points, slots, own, lists, [&](const float* x, const auto& use) HWY_ATTR {
    for_absolute_sums(x, d, points.rows, points.count, use);
  });
}

void ManhattanDistances(const float* tiles, int64_t tile_count, int64_t d, const float* rows, int64_t k,
                        float* out, int64_t out_stride) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  for (int64_t t = 0; t < tile_count * kTile; t += 2 * lanes) {
    const float* x = tiles + t / kTile * kTile * d + t % kTile;
    for_absolute_sums(x, d, rows, k, [&](int64_t c, auto a0, auto a1) HWY_ATTR {
      hn::StoreU(a0, f, out + c * out_stride + t);
      hn::StoreU(a1, f, out + c * out_stride + t + lanes);
    });
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(NearestPoints);
HWY_EXPORT(NearestPointsManhattan);
HWY_EXPORT(ManhattanDistances);

void nearest_points(const float* tiles, std::int64_t count, std::int64_t d, const PointBlock& points,
                    const std::int32_t* slots, const std::int32_t* own, const NearestLists& lists) {
  HWY_DYNAMIC_DISPATCH(NearestPoints)(tiles, count, d, points, slots, own, lists);
}

void nearest_points_manhattan(const float* tiles, std::int64_t count, std::int64_t d,
                              const PointBlock& points, const std::int32_t* slots, const std::int32_t* own,
                              const NearestLists& lists) {
  HWY_DYNAMIC_DISPATCH(NearestPointsManhattan)(tiles, count, d, points, slots, own, lists);
}

void manhattan_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* rows,
                         std::int64_t k, float* out, std::int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(ManhattanDistances)(tiles, tile_count, d, rows, k, out, out_stride);
}

namespace scalar {

void nearest_points(const float* tiles, std::int64_t count, std::int64_t d, const PointBlock& points,
                    const std::int32_t* slots, const std::int32_t* own, const NearestLists& lists) {
  for (std::int64_t t = 0; t < count; ++t) {
    const auto value = [&](std::int64_t j) { return tiles[(t / kTile * d + j) * kTile + t % kTile]; };
    float norm = 0;
    for (std::int64_t j = 0; j < d; ++j) norm += value(j) * value(j);
    for (std::int64_t c = 0; c < points.count; ++c) {
      const std::int32_t id = points.ids ? points.ids[c] : static_cast<std::int32_t>(c);
      if (own && own[slots[t]] == id) continue;
      float score = points.half_norms[c];
      for (std::int64_t j = 0; j < d; ++j) score -= value(j) * points.rows[c * d + j];
      offer(lists, slots[t], norm + 2 * score, id);
    }
  }
}

void nearest_points_manhattan(const float* tiles, std::int64_t count, std::int64_t d,
                              const PointBlock& points, const std::int32_t* slots, const std::int32_t* own,
                              const NearestLists& lists) {
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::int64_t c = 0; c < points.count; ++c) {
      const std::int32_t id = points.ids ? points.ids[c] : static_cast<std::int32_t>(c);
      if (own && own[slots[t]] == id) continue;
      float distance = 0;
      for (std::int64_t j = 0; j < d; ++j) {
        distance += std::abs(tiles[(t / kTile * d + j) * kTile + t % kTile] - points.rows[c * d + j]);
      }
      offer(lists, slots[t], distance, id);
    }
  }
}

void manhattan_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* rows,
                         std::int64_t k, float* out, std::int64_t out_stride) {
  for (std::int64_t t = 0; t < tile_count * kTile; ++t) {
    for (std::int64_t c = 0; c < k; ++c) {
      float distance = 0;
      for (std::int64_t j = 0; j < d; ++j) {
        distance += std::abs(tiles[(t / kTile * d + j) * kTile + t % kTile] - rows[c * d + j]);
      }
      out[c * out_stride + t] = distance;
    }
  }
}

}  // namespace scalar
}  // namespace parsimony::kernels
#endif
