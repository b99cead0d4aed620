#include "kernels/assigned_points.hpp"

#include <hwy/cache_control.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/assigned_points.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using RowLanes = hn::CappedTag<float, 8>;  // along a row: 8 is also the most common width

#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
#define PARSIMONY_FOUR_ROWS 0
#else
#define PARSIMONY_FOUR_ROWS 1
// The sums of the lanes of four vectors, added in the same order as by SumOfLanes on x86.
template <class V>
HWY_INLINE hn::Vec<hn::CappedTag<float, 4>> four_sums(const V v0, const V v1, const V v2, const V v3) {
  const hn::CappedTag<float, 4> f;
  const hn::Repartition<uint64_t, decltype(f)> pairs;
  const auto fold = [](const V v) HWY_ATTR {
    if constexpr (hn::MaxLanes(RowLanes()) == 8) {
      return hn::Add(hn::LowerHalf(v), hn::UpperHalf(hn::Half<RowLanes>(), v));
    } else {
      return v;
    }
  };
  const auto fold_pairs = [&](auto x, auto y) HWY_ATTR {
    const auto a = hn::BitCast(pairs, x), b = hn::BitCast(pairs, y);
    return hn::Add(hn::BitCast(f, hn::InterleaveLower(pairs, a, b)),
                   hn::BitCast(f, hn::InterleaveUpper(pairs, a, b)));
  };
  const auto even = fold_pairs(fold(v0), fold(v2)), odd = fold_pairs(fold(v1), fold(v3));
  return fold_pairs(hn::InterleaveLower(f, even, odd), hn::InterleaveUpper(f, even, odd));
}
#endif

template <bool kNorms>
HWY_INLINE void assign_distances(const PointRows& points, int64_t count, const float* centroids,
                                 const int32_t* labels, float* distance, float* norm) {
  const RowLanes f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const int64_t d = points.d, whole = d - d % lanes;
  const float* HWY_RESTRICT shift = points.shift;
  const auto row = [&](int64_t t) { return points.row(t); };
  const auto add_rest = [&](int64_t t, float distance_sum, float norm_sum) {
    const float *x = row(t), *c = centroids + labels[t] * d;
    for (int64_t j = whole; j < d; ++j) {
      const float value = x[j] - shift[j], apart = value - c[j];
      if constexpr (kNorms) norm_sum += value * value;
      distance_sum += apart * apart;
    }
    distance[t] = distance_sum;
    if constexpr (kNorms) norm[t] = norm_sum;
  };
  const auto add = [&](const auto shifted, const float* c, auto& distances, auto& norms) HWY_ATTR {
    const auto apart = hn::Sub(shifted, hn::LoadU(f, c));
    if constexpr (kNorms) norms = hn::MulAdd(shifted, shifted, norms);
    distances = hn::MulAdd(apart, apart, distances);
  };
  int64_t t = 0;
#if PARSIMONY_FOUR_ROWS
  const hn::CappedTag<float, 4> four;
  constexpr int64_t kAhead = 64;
  for (; t + 4 <= count; t += 4) {
    const float *x0 = row(t), *x1 = row(t + 1), *x2 = row(t + 2), *x3 = row(t + 3);
    const float *c0 = centroids + labels[t] * d, *c1 = centroids + labels[t + 1] * d;
    const float *c2 = centroids + labels[t + 2] * d, *c3 = centroids + labels[t + 3] * d;
    if (t + kAhead + 4 <= count) {
      for (int64_t s = t + kAhead; s < t + kAhead + 4; ++s) hwy::Prefetch(row(s));
    }
    auto distance0 = hn::Zero(f), distance1 = distance0, distance2 = distance0, distance3 = distance0;
    auto norm0 = distance0, norm1 = distance0, norm2 = distance0, norm3 = distance0;
    for (int64_t j = 0; j < whole; j += lanes) {
      const auto origin = hn::LoadU(f, shift + j);
      add(hn::Sub(hn::LoadU(f, x0 + j), origin), c0 + j, distance0, norm0);
      add(hn::Sub(hn::LoadU(f, x1 + j), origin), c1 + j, distance1, norm1);
      add(hn::Sub(hn::LoadU(f, x2 + j), origin), c2 + j, distance2, norm2);
      add(hn::Sub(hn::LoadU(f, x3 + j), origin), c3 + j, distance3, norm3);
    }
    hn::StoreU(four_sums(distance0, distance1, distance2, distance3), four, distance + t);
    if constexpr (kNorms) hn::StoreU(four_sums(norm0, norm1, norm2, norm3), four, norm + t);
    if (whole == d) continue;
    for (int64_t s = t; s < t + 4; ++s) add_rest(s, distance[s], kNorms ? norm[s] : 0);
  }
#endif
  for (; t < count; ++t) {
    const float *x = row(t), *c = centroids + labels[t] * d;
    auto distances = hn::Zero(f), norms = hn::Zero(f);
    for (int64_t j = 0; j < whole; j += lanes)
      add(hn::Sub(hn::LoadU(f, x + j), hn::LoadU(f, shift + j)), c + j, distances, norms);
    add_rest(t, hn::GetLane(hn::SumOfLanes(f, distances)), hn::GetLane(hn::SumOfLanes(f, norms)));
  }
}
#undef PARSIMONY_FOUR_ROWS

void AssignedDistances(const PointRows& points, int64_t count, const float* centroids, const int32_t* labels,
                       float* distance, float* norm) {
  if (norm) {
    assign_distances<true>(points, count, centroids, labels, distance, norm);
  } else {
    assign_distances<false>(points, count, centroids, labels, distance, norm);
  }
}

// The fields of `points` are copied: the compiler would read them anew after every store.
template <bool kWeights>
HWY_INLINE void add_rows(const PointRows& points, int64_t count, const int32_t* HWY_RESTRICT labels,
                         const float* HWY_RESTRICT weights, double* HWY_RESTRICT sums) {
  const int64_t d = points.d, stride = points.stride;
  const float *HWY_RESTRICT data = points.data, *HWY_RESTRICT shift = points.shift;
  const int32_t* HWY_RESTRICT rows = points.rows;
#if HWY_TARGET == HWY_SCALAR
  const int64_t whole = 0;
#else
  const hn::CappedTag<double, 8> f64;
  const hn::Rebind<float, decltype(f64)> f32;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f64));
  const int64_t whole = d - d % lanes;
#endif
  for (int64_t t = 0; t < count; ++t) {
    const float* HWY_RESTRICT x = data + (rows ? rows[t] : t) * stride;
    double* HWY_RESTRICT sum = sums + labels[t] * d;
    const double weight = kWeights ? weights[t] : 1.0;
#if HWY_TARGET != HWY_SCALAR
    const auto w = hn::Set(f64, weight);
    for (int64_t j = 0; j < whole; j += lanes) {
      const auto value = hn::PromoteTo(f64, hn::Sub(hn::LoadU(f32, x + j), hn::LoadU(f32, shift + j)));
      const auto before = hn::LoadU(f64, sum + j);
      hn::StoreU(kWeights ? hn::MulAdd(w, value, before) : hn::Add(value, before), f64, sum + j);
    }
#endif
    for (int64_t j = whole; j < d; ++j) sum[j] += weight * static_cast<double>(x[j] - shift[j]);
  }
}

void Accumulate(const PointRows& points, int64_t count, const int32_t* labels, const float* weights,
                double* sums) {
  if (weights) {
    add_rows<true>(points, count, labels, weights, sums);
  } else {
    add_rows<false>(points, count, labels, weights, sums);
  }
}

double WeightedSum(const float* weights, const float* values, int64_t count) {
#if HWY_TARGET == HWY_SCALAR
  return scalar::weighted_sum(weights, values, count);
#else
  const hn::CappedTag<double, 8> f64;
  const hn::Rebind<float, decltype(f64)> f32;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f64));
  auto even = hn::Zero(f64), odd = hn::Zero(f64);
  for (int64_t i = 0; i < count; i += 2 * lanes) {
    even = hn::MulAdd(hn::PromoteTo(f64, hn::LoadU(f32, weights + i)),
                      hn::PromoteTo(f64, hn::LoadU(f32, values + i)), even);
    odd = hn::MulAdd(hn::PromoteTo(f64, hn::LoadU(f32, weights + i + lanes)),
                     hn::PromoteTo(f64, hn::LoadU(f32, values + i + lanes)), odd);
  }
  return hn::GetLane(hn::SumOfLanes(f64, hn::Add(even, odd)));
#endif
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(AssignedDistances);
HWY_EXPORT(Accumulate);
HWY_EXPORT(WeightedSum);

void assigned_distances(const PointRows& points, std::int64_t count, const float* centroids,
                        const std::int32_t* labels, float* distance, float* norm) {
  HWY_DYNAMIC_DISPATCH(AssignedDistances)(points, count, centroids, labels, distance, norm);
}

void accumulate(const PointRows& points, std::int64_t count, const std::int32_t* labels, const float* weights,
                double* sums) {
  HWY_DYNAMIC_DISPATCH(Accumulate)(points, count, labels, weights, sums);
}

double weighted_sum(const float* weights, const float* values, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(WeightedSum)(weights, values, count);
}

namespace scalar {

void assigned_distances(const PointRows& points, std::int64_t count, const float* centroids,
                        const std::int32_t* labels, float* distance, float* norm) {
  for (std::int64_t t = 0; t < count; ++t) {
    float squared = 0;
    distance[t] = 0;
    for (std::int64_t j = 0; j < points.d; ++j) {
      const float value = points.value(t, j), apart = value - centroids[labels[t] * points.d + j];
      distance[t] += apart * apart;
      squared += value * value;
    }
    if (norm) norm[t] = squared;
  }
}

void accumulate(const PointRows& points, std::int64_t count, const std::int32_t* labels, const float* weights,
                double* sums) {
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::int64_t j = 0; j < points.d; ++j) {
      sums[labels[t] * points.d + j] +=
          (weights ? weights[t] : 1.0) * static_cast<double>(points.value(t, j));
    }
  }
}

double weighted_sum(const float* weights, const float* values, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(weights[i]) * values[i];
  return sum;
}

}  // namespace scalar
}  // namespace parsimony::kernels
#endif
