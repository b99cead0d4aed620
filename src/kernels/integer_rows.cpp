#include "kernels/integer_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/integer_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/integer_product.hpp"

#ifndef PARSIMONY_KERNELS_INTEGER_ROWS_ONCE
#define PARSIMONY_KERNELS_INTEGER_ROWS_ONCE
namespace parsimony::kernels {
namespace {

constexpr float kLeastMagnitude = 0x1p-100F;

struct SegmentScale {
  float scale = 0, inverse = 0;  // inverse 0: all values of the segment count as 0
};

SegmentScale segment_scale(float largest, int most) {
  if (!std::isfinite(largest)) return {std::numeric_limits<float>::quiet_NaN(), 0};
  if (largest < kLeastMagnitude) return {};
  return {largest / static_cast<float>(most), static_cast<float>(most) / largest};
}

// Whether the largest of `count` values is an outlier.
bool has_outlier(float largest, float squares, std::int64_t count) {
  const float square = largest * largest;
  return square * static_cast<float>(count - 1) > kOutlierInput * kOutlierInput * (squares - square);
}

// Moves outliers of a segment of finite values to the list. `squares` is the sum of the squares of all.
void take_outliers(float* segment, float squares, std::int64_t begin, std::int64_t count,
                   OutlierInputs& outliers) {
  constexpr std::int64_t kSums = 16;  // side by side: one sum alone waits for each of its additions
  for (std::int64_t n = 0; n < kMostOutlierInputs; ++n) {
    float sizes[kSums] = {};
    for (std::int64_t i = 0; i < kIntegerSegment; i += kSums) {
      for (std::int64_t j = 0; j < kSums; ++j) sizes[j] = std::max(sizes[j], std::abs(segment[i + j]));
    }
    const float size = *std::max_element(sizes, sizes + kSums);
    if (size == 0 || !has_outlier(size, squares, count)) return;
    float* largest = segment;
    while (std::abs(*largest) != size) ++largest;
    outliers.data[outliers.count++] = {static_cast<std::int32_t>(begin + (largest - segment)), *largest};
    *largest = 0;
    float sums[kSums] = {};
    for (std::int64_t i = 0; i < kIntegerSegment; i += kSums) {
      for (std::int64_t j = 0; j < kSums; ++j) sums[j] += segment[i + j] * segment[i + j];
    }
    squares = 0;
    for (const float sum : sums) squares += sum;
  }
}

}  // namespace
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The largest bits of |x| as integers, which have the order of the magnitudes, with NaN above infinity; and
// the sum of the squares.
float LargestMagnitude(const float* HWY_RESTRICT x, float& squares) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  auto most = hn::Zero(di);
  auto sum = hn::Zero(d);
  for (std::int64_t i = 0; i < kIntegerSegment; i += step) {
    const auto value = hn::LoadU(d, x + i);
    most = hn::Max(most, hn::BitCast(di, hn::Abs(value)));
    sum = hn::MulAdd(value, value, sum);
  }
  squares = hn::GetLane(hn::SumOfLanes(d, sum));
  const std::int32_t bits = hn::GetLane(hn::MaxOfLanes(di, most));
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Rounds a segment; returns Σ (out − most − 1).
std::int32_t RoundSegment(const float* HWY_RESTRICT x, float inverse, int most,
                          std::uint8_t* HWY_RESTRICT out) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, inverse);
  const auto zero = hn::Set(di, most + 1);
  auto sum = hn::Zero(di);
  for (std::int64_t i = 0; i < kIntegerSegment; i += step) {
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), factor));
    sum = hn::Add(sum, whole);
    hn::StoreU(hn::DemoteTo(d8, hn::Add(whole, zero)), d8, out + i);
  }
  return hn::GetLane(hn::SumOfLanes(di, sum));
}

float IntegerRow(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales,
                 OutlierInputs* outliers) {
  float total = 0;
  for (std::int64_t begin = 0; begin < inputs; begin += kIntegerSegment, out += kIntegerSegment) {
    const float* from = x + begin;
    float padded[kIntegerSegment];
    if (begin + kIntegerSegment > inputs) {
      std::memset(padded, 0, sizeof(padded));
      std::memcpy(padded, from, static_cast<std::size_t>(inputs - begin) * sizeof(float));
      from = padded;
    }
    float squares = 0, largest = LargestMagnitude(from, squares);
    const std::int64_t count = std::min(kIntegerSegment, inputs - begin);
    if (outliers != nullptr && std::isfinite(squares) && has_outlier(largest, squares, count)) {
      if (from != padded) from = static_cast<const float*>(std::memcpy(padded, from, sizeof(padded)));
      take_outliers(padded, squares, begin, count, *outliers);
      largest = LargestMagnitude(from, squares);
    }
    const SegmentScale made = segment_scale(largest, most);
    *scales++ = made.scale;
    if (made.inverse == 0) {
      std::memset(out, most + 1, kIntegerSegment);
      total += made.scale;
      continue;
    }
    const float part = made.scale * static_cast<float>(RoundSegment(from, made.inverse, most, out));
    total += part;
  }
  return total;
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(IntegerRow);

float integer_row(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales,
                  OutlierInputs* outliers) {
  return HWY_DYNAMIC_DISPATCH(IntegerRow)(x, inputs, most, out, scales, outliers);
}

float integer_row_scalar(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales,
                         OutlierInputs* outliers) {
  float total = 0;
  for (std::int64_t begin = 0; begin < inputs; begin += kIntegerSegment) {
    const std::int64_t count = std::min(kIntegerSegment, inputs - begin);
    float segment[kIntegerSegment] = {};
    std::copy_n(x + begin, count, segment);
    bool finite = true;
    float squares = 0;
    for (const float value : segment) {
      finite = finite && std::isfinite(value);
      squares += value * value;
    }
    if (outliers != nullptr && std::isfinite(squares))
      take_outliers(segment, squares, begin, count, *outliers);
    float largest = 0;
    for (const float value : segment) largest = std::max(largest, std::abs(value));
    const SegmentScale made = segment_scale(finite ? largest : std::numeric_limits<float>::infinity(), most);
    scales[begin / kIntegerSegment] = made.scale;
    std::int32_t sum = 0;
    for (std::int64_t i = 0; i < kIntegerSegment; ++i) {
      const float value = made.inverse != 0 ? segment[i] * made.inverse : 0;
      const auto whole = static_cast<std::int32_t>(std::nearbyint(value));
      out[begin + i] = static_cast<std::uint8_t>(most + 1 + whole);
      sum += whole;
    }
    total += std::isfinite(made.scale) ? made.scale * static_cast<float>(sum) : made.scale;
  }
  return total;
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
