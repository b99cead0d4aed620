#include "kernels/nearest_points.hpp"

#include <algorithm>
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

void NearestPoints(const float* tiles, int64_t count, int64_t d, const PointBlock& points,
                   const int32_t* slots, const int32_t* own, const NearestLists& lists) {
  const Lanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto two = hn::Set(f, 2.0f);
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
      auto norm0 = hn::Zero(f), norm1 = hn::Zero(f);
      for (int64_t j = 0; j < d; ++j) {
        const auto x0 = hn::Load(f, tile + j * kTile + t), x1 = hn::Load(f, tile + j * kTile + t + lanes);
        norm0 = hn::MulAdd(x0, x0, norm0);
        norm1 = hn::MulAdd(x1, x1, norm1);
      }
      auto worst0 = hn::Load(f, worst + t), worst1 = hn::Load(f, worst + t + lanes);
      for_scores(tile + t, d, points.rows, points.half_norms, points.count,
                 [&](int64_t c, auto s0, auto s1) HWY_ATTR {
                   const auto d0 = hn::MulAdd(two, s0, norm0), d1 = hn::MulAdd(two, s1, norm1);
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

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(NearestPoints);

void nearest_points(const float* tiles, std::int64_t count, std::int64_t d, const PointBlock& points,
                    const std::int32_t* slots, const std::int32_t* own, const NearestLists& lists) {
  HWY_DYNAMIC_DISPATCH(NearestPoints)(tiles, count, d, points, slots, own, lists);
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

}  // namespace scalar
}  // namespace parsimony::kernels
#endif
