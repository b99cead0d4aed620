// Implements multiply_codes of quant/packed/integer_weight.hpp.
#include <algorithm>
#include <array>

#include "kernels/code_dots.hpp"
#include "kernels/integer_rows.hpp"
#include "quant/packed/integer_weight.hpp"

namespace parsimony::quant {
namespace {

using kernels::kIntegerSegment;

constexpr std::int64_t kOutputsOfBlock = 64;
constexpr int kUnsigned = 128;  // levels of a table are unsigned bytes, this far above their values

// A row of x as signed bytes, in the order that code_dots asks for.
struct SignedRow {
  SignedRow(const PackedWeight& weight, std::span<const float> x, int most) : inputs(weight.columns) {
    const std::int64_t segments = (inputs + kIntegerSegment - 1) / kIntegerSegment;
    std::vector<std::uint8_t> bytes(segments * kIntegerSegment);
    values.resize(bytes.size());
    scales.resize(segments);
    sums.resize(segments);
    outliers.resize(segments * kernels::kMostOutlierInputs);
    kernels::OutlierInputs list{outliers.data(), 0};
    total = kernels::integer_row(x.data(), inputs, most, bytes.data(), scales.data(), &list);
    outliers.resize(list.count);
    for (std::int64_t s = 0; s < segments; ++s) {
      const std::uint8_t* from = bytes.data() + s * kIntegerSegment;
      std::int8_t* to = values.data() + s * kIntegerSegment;
      for (std::int64_t i = 0; i < kIntegerSegment; ++i) sums[s] += from[i] - most - 1;
      if (weight.row_bits == 8) {
        for (std::int64_t i = 0; i < kIntegerSegment; ++i)
          to[i] = static_cast<std::int8_t>(from[i] - most - 1);
        continue;
      }
      constexpr std::int64_t kHalf = kIntegerSegment / 2;
      for (std::int64_t i = 0; i < kHalf; ++i) {
        to[i] = static_cast<std::int8_t>(from[2 * i] - most - 1);
        to[kHalf + i] = static_cast<std::int8_t>(from[2 * i + 1] - most - 1);
      }
    }
  }

  std::int64_t inputs;
  std::vector<std::int8_t> values;
  std::vector<float> scales;
  std::vector<std::int32_t> sums;  // one for each segment
  std::vector<kernels::OutlierInput> outliers;
  float total = 0;  // the sum of the rounded row, without the outliers
};

// Σ zero point · group_scale · the sum of the row, over the groups of an output.
float zeros_of(const PackedWeight& weight, const SignedRow& row, std::int64_t output) {
  const auto zero = [&](std::int64_t at) {
    return static_cast<float>(weight.zero_point[weight.zero_point.size() == 1 ? 0 : at]);
  };
  if (weight.group == 0) return zero(output) * row.total;
  const std::int64_t groups = groups_of(weight.columns, weight.group), each = weight.group / kIntegerSegment;
  float sum = 0;
  for (std::size_t s = 0; s < row.sums.size(); ++s) {
    const std::int64_t at = output * groups + static_cast<std::int64_t>(s) / each;
    sum += zero(at) * weight.group_scale[at] * row.scales[s] * static_cast<float>(row.sums[s]);
  }
  return sum;
}

}  // namespace

std::int64_t IntegerWeight::most_rows_of_codes(const PackedWeight& weight) const {
  if (has_tiles() || weight.codebook || weight.levels.size() > kernels::kTableBytes) return 0;
  return kernels::most_dot_rows();
}

float IntegerWeight::value(const PackedWeight& weight, std::int64_t output, std::int64_t column) const {
  const std::uint8_t code = weight.code(output, column);
  if (!bytes.empty()) return bytes[code];
  const std::int64_t at =
      weight.group == 0 ? output : output * groups_of(weight.columns, weight.group) + column / weight.group;
  return static_cast<float>(code - weight.zero_point[weight.zero_point.size() == 1 ? 0 : at]);
}

void multiply_codes(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                    MatrixView<const float> x, MatrixView<float> y, const Context& context) {
  const int most = integers.range == kernels::IntegerRange::rows8 ? 127 : 63;
  std::vector<SignedRow> rows;
  for (std::int64_t r = 0; r < x.rows; ++r) rows.emplace_back(weight, x.row(r), most);
  const bool levels = !integers.bytes.empty();
  std::array<std::uint8_t, kernels::kTableBytes> table{};
  if (levels) {
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<std::uint8_t>(integers.bytes[i] + kUnsigned);
  }
  const std::int64_t groups = groups_of(weight.columns, weight.group);
  context.for_blocks(weight.outputs, kOutputsOfBlock, [&](std::int64_t begin, std::int64_t end) {
    kernels::DotCodes codes;
    codes.data = weight.row_codes.data() + begin * weight.row_bytes();
    codes.stride = weight.row_bytes();
    codes.count = end - begin;
    codes.nibbles = weight.row_bits == 4;
    codes.table = levels ? table.data() : nullptr;
    codes.zero = levels ? kUnsigned : 0;
    if (weight.group != 0) {
      codes.scales = weight.group_scale.data() + begin * groups;
      codes.scale_stride = groups;
      codes.segments = weight.group / kIntegerSegment;
    }
    std::array<float, kOutputsOfBlock> sums{};
    for (std::int64_t r = 0; r < x.rows; ++r) {
      const SignedRow& row = rows[r];
      kernels::code_dots({row.values.data(), row.scales.data(), row.sums.data(), row.inputs}, codes,
                         integers.range, sums.data());
      for (std::int64_t o = begin; o < end; ++o) {
        float sum = sums[o - begin];
        if (!levels) sum -= zeros_of(weight, row, o);
        for (const kernels::OutlierInput& outlier : row.outliers) {
          const float scale =
              weight.group == 0 ? 1 : weight.group_scale[o * groups + outlier.place / weight.group];
          sum += outlier.value * scale * integers.value(weight, o, outlier.place);
        }
        const float factor = integers.step * (weight.scale.empty() ? 1 : weight.scale[o]);
        y(r, o) = sum * factor + (bias.empty() ? 0 : bias[o]);
      }
    }
  });
}

}  // namespace parsimony::quant
