#include "quant/packed/integer_weight.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/interleave_bytes.hpp"
#include "quant/packed/packed_size.hpp"

namespace parsimony::quant {
namespace {

using kernels::kIntegerOutputs;
using kernels::kIntegerSegment;
static_assert(kIntegerOutputs == kernels::kLookupGroup);

constexpr std::int64_t kRowBytes = 4 * kIntegerOutputs;  // four inputs of all outputs of a tile
// Centroids are multiplied apart only if the others become so much finer.
constexpr float kWorthwhile = 1.25F;

float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

std::int8_t rounded(float value, float step) {
  return static_cast<std::int8_t>(std::lround(value / step));
}

// A range that holds code − zero_point.
std::pair<std::int64_t, std::int64_t> code_range(const PackedWeight& weight) {
  std::uint8_t low = 0, high = 15;
  if (weight.row_bits == 8) {
    low = 255;
    high = 0;
    for (const std::uint8_t code : weight.row_codes) {
      low = std::min(low, code);
      high = std::max(high, code);
    }
  }
  const auto [least, most] = std::minmax_element(weight.zero_point.begin(), weight.zero_point.end());
  return {low - std::int64_t{*most}, high - std::int64_t{*least}};
}

bool fits_bytes(std::pair<std::int64_t, std::int64_t> range) {
  return range.first >= -128 && range.second <= 127;
}

// How often each level is used, on a sample of outputs.
std::array<double, 256> level_uses(const PackedWeight& weight) {
  constexpr std::int64_t kSample = 64;
  std::array<double, 256> uses{};
  const std::int64_t every = std::max<std::int64_t>(1, weight.outputs / kSample);
  for (std::int64_t o = 0; o < weight.outputs; o += every) {
    for (std::int64_t c = 0; c < weight.columns; ++c) ++uses[weight.code(o, c)];
  }
  return uses;
}

// The step whose multiples are nearest to the levels: with few levels, some steps hit them much better than
// the finest one.
float step_of(const PackedWeight& weight) {
  constexpr int kSteps = 512;
  const float largest = largest_of(weight.levels);
  if (largest == 0) return 1;
  const std::array<double, 256> uses = level_uses(weight);
  float best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kSteps; ++i) {
    const float step = largest / (127 - 64 * static_cast<float>(i) / kSteps);
    double error = 0;
    for (std::size_t k = 0; k < weight.levels.size(); ++k) {
      const double value = weight.levels[k] / static_cast<double>(step);
      error += uses[k] * std::pow((value - std::nearbyint(value)) * step, 2);
    }
    if (error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

// How often each centroid is used.
std::vector<std::int64_t> uses_of(const PackedWeight& weight) {
  // Several counters, because a code often repeats the one before it.
  constexpr std::int64_t kCounters = 4;
  std::array<std::array<std::int64_t, 256>, kCounters> counts{};
  const std::uint8_t* codes = weight.bytes.data();
  for (std::int64_t i = 0; i < weight.bytes.size(); i += kCounters) {  // whole groups of 64
    for (std::int64_t j = 0; j < kCounters; ++j) ++counts[j][codes[i + j]];
  }
  std::vector<std::int64_t> uses(weight.codebook->centroids.rows());
  for (std::size_t k = 0; k < uses.size(); ++k) {
    for (const auto& each : counts) uses[k] += each[k];
  }
  uses[0] -= weight.bytes.size() - weight.outputs * weight.columns;  // outputs beyond the last
  return uses;
}

// Blocks whose size is not a multiple of 4.
void copy_blocks(const std::uint8_t* codes, std::int64_t width, std::int64_t columns,
                 const kernels::CentroidBytes& centroids, std::int8_t* tile) {
  const std::int64_t d = centroids.d();
  for (std::int64_t c = 0; c < columns; ++c, codes += width) {
    for (std::int64_t i = 0; i < kIntegerOutputs; ++i) {
      const std::int64_t code = codes[kernels::lookup_place(i)];
      for (std::int64_t t = 0; t < d; ++t) {
        tile[(c * d + t) / 4 * kRowBytes + 4 * i + (c * d + t) % 4] = centroids.values()[code * d + t];
      }
    }
  }
}

}  // namespace

bool IntegerWeight::fits(const PackedWeight& weight) {
  if (!fits_segments(weight.codebook.get(), weight.group)) return false;
  return weight.codebook || weight.group == 0 || !weight.levels.empty() || fits_bytes(code_range(weight));
}

IntegerWeight::IntegerWeight(const PackedWeight& weight, TileProduct kind) {
  using enum kernels::IntegerRange;
  const bool narrow = kind == TileProduct::integers6;
  range = kind == TileProduct::integers8 ? rows8 : narrow && weight.codebook ? rows7tiles6 : rows7;
  if (weight.codebook) {
    round_centroids(weight, narrow ? 63 : 127);
    return;
  }
  if (!weight.levels.empty()) {
    step = step_of(weight);
    for (const float level : weight.levels) bytes.push_back(rounded(level, step));
    bytes.resize(std::max<std::size_t>(bytes.size(), kernels::kTableBytes));
    return;
  }
  const auto codes = code_range(weight);
  shifted = !fits_bytes(codes);
  if (range == rows7 && !shifted && codes.first >= -63 && codes.second <= 63) range = rows7tiles6;
}

void IntegerWeight::round_centroids(const PackedWeight& weight, int most) {
  const Matrix<float>& exact = weight.codebook->centroids;
  const std::int64_t count = exact.rows(), d = weight.d;
  std::vector<float> largest(count);
  for (std::int64_t k = 0; k < count; ++k) largest[k] = largest_of(exact.row(k));
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return largest[a] > largest[b]; });
  const std::vector<std::int64_t> uses = uses_of(weight);
  const std::int64_t allowed = weight.outputs * weight.columns / kBlocksPerOutlier;
  std::int64_t apart = 0, used = uses[order[0]];
  for (std::int64_t m = 1; m < count && used <= allowed; used += uses[order[m++]]) {
    if (largest[order[m]] * kWorthwhile <= largest[order[apart]]) apart = m;
  }
  const float scaled = largest[order[apart]];
  step = scaled > 0 ? scaled / static_cast<float>(most) : 1;
  std::vector<bool> outlier(count);
  for (std::int64_t m = 0; m < apart; ++m) outlier[order[m]] = true;
  std::vector<std::int8_t> values(count * d, 0);
  for (std::int64_t k = 0; k < count; ++k) {
    if (outlier[k]) continue;
    for (std::int64_t j = 0; j < d; ++j) values[k * d + j] = rounded(exact(k, j), step);
  }
  centroids = kernels::CentroidBytes(std::move(values), d);
  if (apart > 0) list_outliers(weight, outlier);
}

void IntegerWeight::list_outliers(const PackedWeight& weight, const std::vector<bool>& outlier) {
  for (std::int64_t group = 0; group * kIntegerOutputs < weight.outputs; ++group) {
    outlier_begin.push_back(static_cast<std::int64_t>(outliers.size()));
    const auto [start, width] = weight.code_rows(group);
    const std::int64_t rows = std::min(kIntegerOutputs, weight.outputs - group * kIntegerOutputs);
    for (std::int64_t c = 0; c < weight.columns; ++c) {
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int32_t code = weight.bytes.data()[start + c * width + kernels::lookup_place(i)];
        if (outlier[code]) {
          outliers.push_back({static_cast<std::int32_t>(c), static_cast<std::int32_t>(i), code});
        }
      }
    }
  }
  outlier_begin.push_back(static_cast<std::int64_t>(outliers.size()));
}

void IntegerWeight::keep_tiles(const PackedWeight& weight) {
  const std::int64_t groups = groups_of(weight.outputs, kIntegerOutputs),
                     segments = groups_of(weight.values(), kIntegerSegment);
  tiles_ = Matrix<std::int8_t>(groups * segments, kernels::kIntegerSegmentBytes);
  offsets_ = Matrix<std::int32_t>(groups * segments, kIntegerOutputs);
  if (weight.group != 0) scales_ = Matrix<float>(groups * segments, kIntegerOutputs);
  for (std::int64_t g = 0; g < groups; ++g) {
    std::int8_t* to = tiles_.row(g * segments).data();
    decode(weight, g, 0, segments, to, weight.group == 0 ? nullptr : scales_.row(g * segments).data());
    kernels::integer_offsets(to, segments, zero(), offsets_.row(g * segments).data());
  }
}

kernels::IntegerTile IntegerWeight::tile(const PackedWeight& weight, std::int64_t tile_group,
                                         std::int64_t segment, std::int64_t segments) const {
  const std::int64_t at = tile_group * groups_of(weight.values(), kIntegerSegment) + segment;
  const std::int8_t* values = tiles_.row(at).data();
  const std::int64_t size = segments * kernels::kIntegerSegmentBytes;
  return {values, offsets_.row(at).data(), weight.group == 0 ? nullptr : scales_.row(at).data(),
          values + size, std::min(size, tiles_.data() + tiles_.size() - values - size)};
}

std::int64_t IntegerWeight::memory() const {
  return centroids.memory() + tiles_.size() + 4 * (offsets_.size() + scales_.size()) +
         static_cast<std::int64_t>(bytes.size() + outliers.size() * sizeof(OutlierBlock) +
                                   outlier_begin.size() * sizeof(std::int64_t));
}

void IntegerWeight::decode(const PackedWeight& weight, std::int64_t tile_group, std::int64_t begin,
                           std::int64_t end, std::int8_t* tile, float* scales) const {
  const std::int64_t first = begin * kIntegerSegment, last = std::min(end * kIntegerSegment, weight.values());
  if (last < end * kIntegerSegment) {
    std::fill(tile + (last - first) / 4 * kRowBytes, tile + (end - begin) * kernels::kIntegerSegmentBytes, 0);
  }
  if (weight.codebook) {
    const auto [start, width] = weight.code_rows(tile_group);
    const std::uint8_t* codes = weight.bytes.data() + start + first / weight.d * width;
    const std::int64_t columns = (last - first) / weight.d;
    if (weight.d % 4 == 0) {
      kernels::centroid_bytes(centroids, codes, width, columns, tile);
    } else {
      copy_blocks(codes, width, columns, centroids, tile);
    }
    return;
  }
  decode_integers(weight, tile_group, first, last, tile);
  if (weight.group == 0) return;
  const std::int64_t rows = std::min(kIntegerOutputs, weight.outputs - tile_group * kIntegerOutputs);
  const std::int64_t groups = groups_of(weight.columns, weight.group);
  for (std::int64_t s = begin; s < end; ++s, scales += kIntegerOutputs) {
    const std::int64_t g = tile_group * kIntegerOutputs * groups + s * kIntegerSegment / weight.group;
    for (std::int64_t i = 0; i < rows; ++i) scales[i] = weight.group_scale[g + i * groups];
  }
}

// Inputs [first, last) of the outputs of a group. Places of a tile beyond the last output or input get bytes
// of other codes, which no result depends on.
void IntegerWeight::decode_integers(const PackedWeight& weight, std::int64_t tile_group, std::int64_t first,
                                    std::int64_t last, std::int8_t* tile) const {
  const std::int64_t groups = groups_of(weight.columns, weight.group), output = tile_group * kIntegerOutputs;
  const std::int64_t rows = std::min(kIntegerOutputs, weight.outputs - output);
  const bool wide = bytes.size() > kernels::kTableBytes;
  kernels::CodeBytes values{bytes.empty() || wide ? nullptr : bytes.data(), {}};
  for (std::int64_t at = first; at < last; at += kIntegerSegment, tile += kernels::kIntegerSegmentBytes) {
    if (bytes.empty() && (at == first || weight.group != 0)) {
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t g = weight.group == 0 ? output + i : (output + i) * groups + at / weight.group;
        values.zero[i] = static_cast<std::uint8_t>(
            shifted ? 128 : weight.zero_point[weight.zero_point.size() == 1 ? 0 : g]);
      }
    }
    if (wide || at + kIntegerSegment > last) {
      decode_by_code(weight, output, at, last, values, tile);
      continue;
    }
    // Two segments ahead, in the next outputs after the last segment.
    const std::int64_t ahead = at + 2 * kIntegerSegment < weight.columns
                                   ? 2 * kIntegerSegment * weight.row_bits / 8
                                   : kIntegerOutputs * weight.row_bytes() - at * weight.row_bits / 8;
    kernels::interleave_bytes(
        {weight.row_codes.data() + output * weight.row_bytes() + at * weight.row_bits / 8, weight.row_bytes(),
         rows, weight.row_bits == 4, ahead},
        values, tile);
  }
}

// A segment with fewer inputs, or levels that no table of a register holds.
void IntegerWeight::decode_by_code(const PackedWeight& weight, std::int64_t output, std::int64_t at,
                                   std::int64_t last, const kernels::CodeBytes& values,
                                   std::int8_t* tile) const {
  const std::int64_t rows = std::min(kIntegerOutputs, weight.outputs - output),
                     count = std::min(kIntegerSegment, last - at);
  std::array<std::uint8_t, kernels::kIntegerSegmentBytes> space{};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t t = 0; t < count; ++t) {
      const std::uint8_t code = weight.code(output + i, at + t);
      space[i * kIntegerSegment + t] =
          values.table == nullptr && !bytes.empty() ? static_cast<std::uint8_t>(bytes[code]) : code;
    }
  }
  kernels::interleave_bytes({space.data(), kIntegerSegment, rows, false}, values, tile);
}

}  // namespace parsimony::quant
