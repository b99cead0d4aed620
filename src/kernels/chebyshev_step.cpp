#include "kernels/chebyshev_step.hpp"

// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/chebyshev_step.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A gather misses the caches on most graphs, so the row needed this many entries later is fetched ahead. It
// goes into the second-level cache, which has far more misses in flight than the first and so keeps memory
// busy (random rows of 2 lines on two cores of an EPYC: 38 GB/s instead of 19).
constexpr std::int64_t kAhead = 32;
constexpr int kSecondLevel = 2;  // locality argument of __builtin_prefetch
constexpr std::int64_t kRowsInFloat = 64;
// A row is summed in parts of so many entries, and the parts are then added: the rounding error of a hub's
// sum grows with the number of its parts, not with that of its neighbours.
constexpr std::int64_t kEntriesInPart = 512;

template <int kLines, bool kWeighted>
void Step(const ChebyshevStep& s, std::int64_t begin, std::int64_t end) {
  const hn::CappedTag<float, kLine> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kVectors = kLines * kLine / kLanes;
  constexpr std::int64_t kWidth = kLines * kLine;

  const std::int64_t last = s.offsets[end];
  const float half = s.first ? 0.5f : 1.0f;
  for (std::int64_t first_row = begin; first_row < end; first_row += kRowsInFloat) {
    const std::int64_t end_row = std::min(end, first_row + kRowsInFloat);
    V squares[kVectors], products[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) squares[v] = products[v] = hn::Zero(d);

    for (std::int64_t i = first_row; i < end_row; ++i) {
      V sum[kVectors], part[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
      for (std::int64_t e = s.offsets[i]; e < s.offsets[i + 1];) {
        for (std::size_t v = 0; v < kVectors; ++v) part[v] = hn::Zero(d);
        for (const std::int64_t end_part = std::min(e + kEntriesInPart, s.offsets[i + 1]); e < end_part;
             ++e) {
          if (e + kAhead < last) {
            const float* later = s.current + s.columns[e + kAhead] * kWidth;
            for (int line = 0; line < kLines; ++line)
              __builtin_prefetch(later + line * kLine, 0, kSecondLevel);
          }
          const float* row = s.current + s.columns[e] * kWidth;
          if constexpr (kWeighted) {
            const V w = hn::Set(d, s.values[e]);
            for (std::size_t v = 0; v < kVectors; ++v)
              part[v] = hn::MulAdd(w, hn::Load(d, row + v * kLanes), part[v]);
          } else {
            for (std::size_t v = 0; v < kVectors; ++v)
              part[v] = hn::Add(part[v], hn::Load(d, row + v * kLanes));
          }
        }
        for (std::size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], part[v]);
      }
      const V neighbor = hn::Set(d, half * s.neighbor[i]);
      const V own = hn::Set(d, s.own ? half * s.own[i] : 0.0f);
      const V coefficient = hn::Set(d, s.coefficient);
      const V weight = hn::Set(d, s.weight ? s.weight[i] : 0.0f);
      const bool reads_current = s.own || s.weight;
      const float* current = s.current + i * kWidth;
      float* next = s.previous + i * kWidth;
      float* accumulator = s.accumulator ? s.accumulator + i * kWidth : nullptr;
      for (std::size_t v = 0; v < kVectors; ++v) {
        const std::size_t at = v * kLanes;
        const V mine = reads_current ? hn::Load(d, current + at) : hn::Zero(d);
        const V before = s.first ? hn::Zero(d) : hn::Load(d, next + at);
        const V value = hn::MulAdd(neighbor, sum[v], hn::MulSub(own, mine, before));
        hn::Store(value, d, next + at);
        if (accumulator) {
          hn::Store(hn::MulAdd(coefficient, value, hn::Load(d, accumulator + at)), d, accumulator + at);
        }
        if (s.weight) {
          const V weighted = hn::Mul(weight, value);
          squares[v] = hn::MulAdd(weighted, value, squares[v]);
          products[v] = hn::MulAdd(weighted, mine, products[v]);
        }
      }
    }
    if (s.weight) {
      HWY_ALIGN float lanes[kLanes];
      for (std::size_t v = 0; v < kVectors; ++v) {
        hn::Store(squares[v], d, lanes);
        for (std::size_t l = 0; l < kLanes; ++l) s.squares[v * kLanes + l] += static_cast<double>(lanes[l]);
        hn::Store(products[v], d, lanes);
        for (std::size_t l = 0; l < kLanes; ++l) s.products[v * kLanes + l] += static_cast<double>(lanes[l]);
      }
    }
  }
}

template <int kLines>
void StepOfWidth(const ChebyshevStep& s, std::int64_t begin, std::int64_t end) {
  s.values ? Step<kLines, true>(s, begin, end) : Step<kLines, false>(s, begin, end);
}

void ChebyshevStepTarget(const ChebyshevStep& s, std::int64_t begin, std::int64_t end) {
  switch (s.width / kLine) {
    case 1:
      return StepOfWidth<1>(s, begin, end);
    case 2:
      return StepOfWidth<2>(s, begin, end);
    case 3:
      return StepOfWidth<3>(s, begin, end);
    default:
      return StepOfWidth<4>(s, begin, end);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(ChebyshevStepTarget);

void chebyshev_step(const ChebyshevStep& step, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ChebyshevStepTarget)(step, begin, end);
}

void chebyshev_step_scalar(const ChebyshevStep& s, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    for (std::int64_t c = 0; c < s.width; ++c) {
      const std::int64_t at = i * s.width + c;
      double sum = 0;
      for (std::int64_t e = s.offsets[i]; e < s.offsets[i + 1]; ++e) {
        sum += (s.values ? s.values[e] : 1.0) * s.current[s.columns[e] * s.width + c];
      }
      const double own = s.own ? s.own[i] * static_cast<double>(s.current[at]) : 0;
      const double product = s.neighbor[i] * sum + own;
      const auto next = static_cast<float>(s.first ? product / 2 : product - s.previous[at]);
      s.previous[at] = next;
      if (s.accumulator) s.accumulator[at] += s.coefficient * next;
      if (s.weight) {
        s.squares[c] += static_cast<double>(s.weight[i]) * next * next;
        s.products[c] += static_cast<double>(s.weight[i]) * next * s.current[at];
      }
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
