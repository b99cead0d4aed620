#include "kernels/hamerly_bounds.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/hamerly_bounds.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

// 1 ∓ 2⁻²⁰ exceeds the few roundings of a bound, in the direction that keeps it a bound.
#ifndef PARSIMONY_HAMERLY_BOUNDS_ONCE
#define PARSIMONY_HAMERLY_BOUNDS_ONCE
namespace parsimony::kernels {
namespace {
constexpr float kBelow = 1 - 0x1p-20f, kAbove = 1 + 0x1p-20f;
}
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

template <class V>
HWY_INLINE V score_error(const ScoreError& error, V norm) {
  const Floats f;
  return hn::MulAdd(hn::Set(f, error.relative), hn::Add(norm, hn::Set(f, 3 * error.highest_half_norm)),
                    hn::Set(f, error.absolute));
}

void GroupsToCompare(const ScoreError& error, const GroupMoves& moves, const int32_t* label,
                     const float* distance, const float* norm, int64_t count, float* lower, int64_t stride,
                     int32_t* compare) {
  const Floats f;
  const hn::RebindToSigned<Floats> i;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto below = hn::Set(f, kBelow), above = hn::Set(f, kAbove);
  const auto more = hn::Set(f, 1 + error.relative), four = hn::Set(f, 4.0f);
  int64_t t = 0;
  for (; t + lanes <= count; t += lanes) {
    const auto own = hn::LoadU(i, label + t);
    const auto squared = hn::Mul(hn::LoadU(f, distance + t), more);  // at most
    const auto apart =
        hn::Sub(hn::GatherIndex(f, moves.nearest_other, own), hn::Mul(hn::Sqrt(squared), above));
    const auto limit = hn::MulAdd(four, score_error(error, hn::LoadU(f, norm + t)), squared);
    auto bits = hn::Zero(i);
    for (int32_t g = 0; g < moves.groups; ++g) {
      const auto fastest = hn::RebindMask(f, hn::Eq(own, hn::Set(i, moves.fastest[g])));
      const auto fall =
          hn::IfThenElse(fastest, hn::Set(f, moves.second_fall[g]), hn::Set(f, moves.first_fall[g]));
      float* at = lower + g * stride + t;
      const auto low = hn::Max(hn::Zero(f), hn::Mul(hn::Sub(hn::LoadU(f, at), fall), below));
      hn::StoreU(low, f, at);
      const auto other = hn::Max(low, apart);
      const auto settled = hn::Gt(hn::Mul(hn::Mul(other, other), below), limit);
      bits = hn::Or(bits, hn::IfThenZeroElse(hn::RebindMask(i, settled), hn::Set(i, 1 << g)));
    }
    const auto with_own = hn::Or(bits, hn::GatherIndex(i, moves.group_bit, own));
    hn::StoreU(hn::IfThenZeroElse(hn::Eq(bits, hn::Zero(i)), with_own), i, compare + t);
  }
  scalar::groups_to_compare(error, moves, label + t, distance + t, norm + t, count - t, lower + t, stride,
                            compare + t);
}

void RunnerUpDistances(const ScoreError& error, const int32_t* rows, const float* norm, const float* score,
                       int64_t count, float* lower) {
  const Floats f;
  const hn::RebindToSigned<Floats> i;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  const auto two = hn::Set(f, 2.0f), less = hn::Set(f, 1 - error.relative), below = hn::Set(f, kBelow);
  int64_t p = 0;
  for (; p + lanes <= count; p += lanes) {
    const auto norm2 = hn::GatherIndex(f, norm, hn::LoadU(i, rows + p));
    const auto squared = hn::NegMulAdd(two, score_error(error, norm2),
                                       hn::MulAdd(two, hn::LoadU(f, score + p), hn::Mul(norm2, less)));
    hn::StoreU(hn::Mul(hn::Sqrt(hn::Max(squared, hn::Zero(f))), below), f, lower + p);
  }
  scalar::runner_up_distances(error, rows + p, norm, score + p, count - p, lower + p);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(GroupsToCompare);
HWY_EXPORT(RunnerUpDistances);

void groups_to_compare(const ScoreError& error, const GroupMoves& moves, const std::int32_t* label,
                       const float* distance, const float* norm, std::int64_t count, float* lower,
                       std::int64_t stride, std::int32_t* compare) {
  HWY_DYNAMIC_DISPATCH(GroupsToCompare)(error, moves, label, distance, norm, count, lower, stride, compare);
}

void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* score, std::int64_t count, float* lower) {
  HWY_DYNAMIC_DISPATCH(RunnerUpDistances)(error, rows, norm, score, count, lower);
}

namespace scalar {
namespace {

float score_error(const ScoreError& error, float norm) {
  return error.relative * (norm + 3 * error.highest_half_norm) + error.absolute;
}

}  // namespace

void groups_to_compare(const ScoreError& error, const GroupMoves& moves, const std::int32_t* label,
                       const float* distance, const float* norm, std::int64_t count, float* lower,
                       std::int64_t stride, std::int32_t* compare) {
  for (std::int64_t t = 0; t < count; ++t) {
    const float squared = distance[t] * (1 + error.relative);
    const float apart = moves.nearest_other[label[t]] - std::sqrt(squared) * kAbove;
    const float limit = 4 * score_error(error, norm[t]) + squared;
    std::int32_t bits = 0;
    for (std::int32_t g = 0; g < moves.groups; ++g) {
      const float fall = label[t] == moves.fastest[g] ? moves.second_fall[g] : moves.first_fall[g];
      float& low = lower[g * stride + t];
      low = std::max(0.0f, (low - fall) * kBelow);
      const float other = std::max(low, apart);
      if (!(other * other * kBelow > limit)) bits |= 1 << g;
    }
    compare[t] = bits == 0 ? 0 : bits | moves.group_bit[label[t]];
  }
}

void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* score, std::int64_t count, float* lower) {
  for (std::int64_t p = 0; p < count; ++p) {
    const float norm2 = norm[rows[p]];
    const float squared = norm2 * (1 - error.relative) + 2 * score[p] - 2 * score_error(error, norm2);
    lower[p] = squared > 0 ? std::sqrt(squared) * kBelow : 0.0f;
  }
}

}  // namespace scalar
}  // namespace parsimony::kernels
#endif
