// Implements multiply_integers and multiply_tiles of quant/packed/integer_weight.hpp.
#include <algorithm>
#include <array>
#include <memory>

#include "kernels/code_dots.hpp"
#include "kernels/integer_rows.hpp"
#include "kernels/round_up.hpp"
#include "quant/packed/integer_weight.hpp"

namespace parsimony::quant {
namespace {

using kernels::kIntegerOutputs;
using kernels::kIntegerSegment;

constexpr std::int64_t kRowsPerBlock = 8;
// Segments of a tile: 32 KiB, so that the rows and the tile are in the second cache.
constexpr std::int64_t kTileSegments = 8;

// Memory on lines of the cache that is not cleared.
template <class T>
class Aligned {
 public:
  explicit Aligned(std::int64_t count)
      : memory_(static_cast<T*>(allocate_aligned(bytes_of(count))), ReleaseAligned{bytes_of(count)}) {}
  T* data() const { return memory_.get(); }

 private:
  static std::size_t bytes_of(std::int64_t count) {
    return static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(T);
  }
  std::unique_ptr<T[], ReleaseAligned> memory_;
};

std::int64_t segments_of(const PackedWeight& weight) {
  return (weight.values() + kIntegerSegment - 1) / kIntegerSegment;
}

// Rows of x in the order of the columns, as bytes and, where outliers need them, as floats.
struct ByteRows {
  ByteRows(const PackedWeight& weight, const IntegerWeight& integers, MatrixView<const float> x,
           const Context& context)
      : count(x.rows),
        segments(segments_of(weight)),
        most(integers.zero() - 1),
        stride(segments * kIntegerSegment),
        bytes(count * stride),
        scales(count * segments),
        sums(count),
        moved(weight.places.empty() || integers.outliers.empty() ? 0 : count * weight.values()),
        outliers(count) {
    context.for_blocks(count, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> space;
      std::vector<kernels::OutlierInput> found(segments * kernels::kMostOutlierInputs);
      for (std::int64_t r = begin; r < end; ++r) {
        const float* from = weight.gather(x.row(r), space);
        kernels::OutlierInputs list{found.data(), 0};
        float sum = kernels::integer_row(from, weight.values(), most, bytes.data() + r * stride,
                                         scales.data() + r * segments, &list);
        outliers[r].assign(found.begin(), found.begin() + list.count);
        for (const kernels::OutlierInput& outlier : outliers[r]) sum += outlier.value;
        sums.data()[r] = sum;
        if (!integers.outliers.empty() && !weight.places.empty()) {
          std::copy_n(from, weight.values(), moved.data() + r * weight.values());
        }
      }
    });
  }

  kernels::IntegerRows rows(std::int64_t segment) const {
    return {bytes.data() + segment * kIntegerSegment, stride, scales.data() + segment, segments, count};
  }

  std::int64_t count, segments;
  int most;
  std::int64_t stride;
  Aligned<std::uint8_t> bytes;
  Aligned<float> scales, sums, moved;
  std::vector<std::vector<kernels::OutlierInput>> outliers;  // one list for each row
};

// Memory of a tile that is written for a product.
class TileSpace {
 public:
  TileSpace(const PackedWeight& weight, std::int64_t segments)
      : values_(segments * kernels::kIntegerSegmentBytes),
        offsets_(segments * kIntegerOutputs),
        scales_(weight.group == 0 ? 0 : segments * kIntegerOutputs) {}

  // Segments [begin, end) of a group.
  kernels::IntegerTile write(const PackedWeight& weight, const IntegerWeight& integers, std::int64_t group,
                             std::int64_t begin, std::int64_t end) const {
    integers.decode(weight, group, begin, end, values_.data(), scales_.data());
    kernels::integer_offsets(values_.data(), end - begin, integers.zero(), offsets_.data());
    return {values_.data(), offsets_.data(), weight.group == 0 ? nullptr : scales_.data()};
  }

 private:
  Aligned<std::int8_t> values_;
  Aligned<std::int32_t> offsets_;
  Aligned<float> scales_;
};

// Adds the outlier inputs of segments [begin, end) to sums, multiplied with the bytes of a tile in float32.
void add_outlier_inputs(const ByteRows& rows, std::int64_t begin, std::int64_t end,
                        const kernels::IntegerTile& tile, float* sums) {
  for (std::int64_t r = 0; r < rows.count; ++r) {
    for (const kernels::OutlierInput& outlier : rows.outliers[r]) {
      const std::int64_t s = outlier.place / kIntegerSegment - begin;
      if (s < 0 || s >= end - begin) continue;
      kernels::add_integer_input(
          tile.values + s * kernels::kIntegerSegmentBytes, outlier.place % kIntegerSegment, outlier.value,
          tile.scales == nullptr ? nullptr : tile.scales + s * kIntegerOutputs, sums + r * kIntegerOutputs);
    }
  }
}

// Adds the blocks of a group that are multiplied in float32 to sums, which are in units of the step.
void add_outliers(const PackedWeight& weight, const IntegerWeight& integers, const ByteRows& rows,
                  MatrixView<const float> x, std::int64_t group, float* sums) {
  const auto first = integers.outliers.begin() + integers.outlier_begin[group],
             last = integers.outliers.begin() + integers.outlier_begin[group + 1];
  for (auto block = first; block != last; ++block) {
    const float* centroid = weight.codebook->centroids.row(block->code).data();
    for (std::int64_t r = 0; r < rows.count; ++r) {
      const float* row = weight.places.empty() ? x.row_data(r) : rows.moved.data() + r * weight.values();
      float sum = 0;
      for (std::int64_t j = 0; j < weight.d; ++j) sum += row[block->column * weight.d + j] * centroid[j];
      sums[r * kIntegerOutputs + block->output] += sum / integers.step;
    }
  }
}

}  // namespace

void multiply_integers(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                       MatrixView<const float> x, MatrixView<float> y, const Context& context) {
  if (x.rows <= integers.most_rows_of_codes(weight)) {
    return multiply_codes(weight, integers, bias, x, y, context);
  }
  for (std::int64_t r = 0; r < x.rows; r += kMostRows) {
    const std::int64_t count = std::min(kMostRows, x.rows - r);
    multiply_tiles(weight, integers, bias, {x.row_data(r), count, x.cols, x.stride},
                   {y.row_data(r), count, y.cols, y.stride}, context);
  }
}

std::int64_t integers_memory(const PackedWeight& weight, const IntegerWeight& integers, std::int64_t rows,
                             int threads) {
  const std::int64_t segments = segments_of(weight), count = std::min(rows, kMostRows),
                     tile = std::min(kTileSegments, segments);
  constexpr std::int64_t kOfOutlier = sizeof(kernels::OutlierInput) * kernels::kMostOutlierInputs;
  // Bytes, scale and outliers of a segment, and for a few rows signed bytes and their sum; floats in another
  // order.
  const std::int64_t few = rows <= integers.most_rows_of_codes(weight) ? kIntegerSegment + 4 : 0;
  const std::int64_t row = segments * (kIntegerSegment + 4 + kOfOutlier + few) + 32 +
                           (weight.places.empty() ? 0 : 4 * weight.values());
  const std::int64_t each =
      (integers.has_tiles() ? 0 : tile * (kernels::kIntegerSegmentBytes + 8 * kIntegerOutputs)) +
      4 * kIntegerOutputs * count + 4 * weight.values() + segments * kOfOutlier;
  return count * row + threads * each;
}

void multiply_tiles(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                    MatrixView<const float> x, MatrixView<float> y, const Context& context) {
  const ByteRows rows(weight, integers, x, context);
  context.for_blocks(weight.outputs, kIntegerOutputs, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t group = begin / kIntegerOutputs, step = std::min(kTileSegments, rows.segments);
    const TileSpace space(weight, integers.has_tiles() ? 0 : step);
    const Aligned<float> sums(x.rows * kIntegerOutputs);
    std::fill_n(sums.data(), x.rows * kIntegerOutputs, 0.0F);
    for (std::int64_t s = 0; s < rows.segments; s += step) {
      const std::int64_t last = std::min(rows.segments, s + step);
      const kernels::IntegerTile tile = integers.has_tiles() ? integers.tile(weight, group, s, last - s)
                                                             : space.write(weight, integers, group, s, last);
      kernels::integer_product(rows.rows(s), tile, last - s, integers.range, sums.data());
      add_outlier_inputs(rows, s, last, tile, sums.data());
    }
    if (!integers.outliers.empty()) add_outliers(weight, integers, rows, x, group, sums.data());
    std::array<float, kIntegerOutputs> factor{}, shift{}, constant{};
    for (std::int64_t o = begin; o < end; ++o) {
      factor[o - begin] = integers.step * (weight.scale.empty() ? 1 : weight.scale[o]);
      constant[o - begin] = bias.empty() ? 0 : bias[o];
      if (integers.shifted) {
        shift[o - begin] =
            static_cast<float>(std::int64_t{128} - weight.zero_point[weight.zero_point.size() == 1 ? 0 : o]);
      }
    }
    kernels::integer_results(sums.data(), x.rows,
                             {factor.data(), integers.shifted ? shift.data() : nullptr, constant.data(),
                              rows.sums.data(), end - begin},
                             y.row_data(0) + begin, y.stride);
  });
}

}  // namespace parsimony::quant
