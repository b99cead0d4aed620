#include "quant/packed/packed_weight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/packed/packed_size.hpp"

namespace parsimony::quant {

BlockGrid code_grid(const QuantizedTensor& weight) {
  const bool product = weight.scheme == Scheme::product;
  return block_grid(coded_shape(weight.shape, weight.axes), product ? weight.codebook->centroids.cols() : 1,
                    product ? weight.layout : BlockLayout::row);
}

std::vector<std::int64_t> value_places(const QuantizedTensor& weight) {
  if (weight.scheme == Scheme::integer) return {};
  const BlockGrid grid = code_grid(weight);
  std::vector<std::int64_t> places = block_offsets(grid, weight.channel_permutation);
  std::int64_t next = 0;
  if (std::all_of(places.begin(), places.end(), [&](std::int64_t place) { return place == next++; })) {
    places.clear();
  }
  return places;
}

PackedWeight::PackedWeight(const QuantizedTensor& weight) {
  check_codes(weight);
  const BlockGrid grid = code_grid(weight);
  outputs = grid.outputs;
  inputs = grid.values_per_output();
  columns = grid.blocks_per_output();
  if (inputs > std::numeric_limits<std::int32_t>::max()) {  // the order of the columns has 32-bit indices
    refuse(
        fmt::format("packed weight: outputs of {}; must be of at most 2^31 - 1", count_of(inputs, "value")));
  }
  places = value_places(weight);
  scale = weight.scale;
  zero_point = weight.zero_point;
  levels = weight.levels;
  if (weight.group > 0) {
    group = weight.group;
    std::swap(scale, group_scale);
  }
  if (scale.size() == 1) scale.assign(outputs, weight.scale[0]);
  if (weight.scheme == Scheme::integer) {
    row_bits = row_bits_of(weight.bits, columns);
    row_codes =
        weight.bits == row_bits
            ? weight.packed
            : PackedCodes(pack_codes(unpack_codes(weight.packed, weight.bits, outputs * columns), row_bits));
    return;
  }
  codebook = weight.codebook;
  d = codebook->centroids.cols();
  const std::int64_t count = packed_code_count(outputs, columns);
  if (codebook->centroids.rows() > 256) {
    words = Matrix<std::uint16_t>(1, count);
    arrange(unpack_codes(weight.packed, weight.bits, outputs * columns).data(), words.data());
  } else {
    bytes = Matrix<std::uint8_t>(1, count);
    if (weight.bits == 8) {
      arrange(weight.packed.data(), bytes.data());
    } else {
      arrange(unpack_codes(weight.packed, weight.bits, outputs * columns).data(), bytes.data());
    }
  }
}

template <class From, class To>
void PackedWeight::arrange(const From* codes, To* to) const {
  constexpr std::int64_t kGroup = kernels::kLookupGroup, kColumns = 64;  // 4 KiB, in the first cache
  for (std::int64_t o = 0; o < outputs; o += kGroup) {
    const auto [start, width] = code_rows(o / kGroup);
    const std::int64_t some = std::min(kGroup, outputs - o);
    for (std::int64_t first = 0; first < columns; first += kColumns) {
      const std::int64_t last = std::min(columns, first + kColumns);
      for (std::int64_t i = 0; i < some; ++i) {
        const From* from = codes + (o + i) * columns;
        To* place = to + start + kernels::lookup_place(i);
        for (std::int64_t c = first; c < last; ++c) place[c * width] = static_cast<To>(from[c]);
      }
    }
  }
}

std::int64_t PackedWeight::memory() const {
  const auto of = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  return of(places) + of(scale) + of(zero_point) + of(group_scale) + of(levels) +
         static_cast<std::int64_t>(row_codes.size()) + bytes.size() + 2 * words.size() +
         (codebook ? codebook->centroids.size() * 4 : 0);
}

const float* PackedWeight::gather(std::span<const float> x, std::vector<float>& space) const {
  if (places.empty()) return x.data();
  space.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) space[i] = places[i] < 0 ? 0.0f : x[places[i]];
  return space.data();
}

namespace {

// kD is d if it is known at compile time, and 0 otherwise.
template <std::int64_t kD, class Code>
void decode_group(const Code* codes, std::int64_t width, std::int64_t columns, const Matrix<float>& centroids,
                  std::int64_t rows, float* tile, std::int64_t stride) {
  const std::int64_t d = kD == 0 ? centroids.cols() : kD;
  for (std::int64_t c = 0; c < columns; ++c, codes += width, tile += d) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t code = codes[kernels::lookup_place(i)];
      std::memcpy(tile + i * stride, centroids.data() + code * d,
                  static_cast<std::size_t>(d) * sizeof(float));
    }
  }
}

template <class Code>
void decode_any(const Code* codes, std::int64_t width, std::int64_t columns, const Matrix<float>& centroids,
                std::int64_t rows, float* tile, std::int64_t stride) {
  switch (centroids.cols()) {
    case 2:
      return decode_group<2>(codes, width, columns, centroids, rows, tile, stride);
    case 4:
      return decode_group<4>(codes, width, columns, centroids, rows, tile, stride);
    case 8:
      return decode_group<8>(codes, width, columns, centroids, rows, tile, stride);
    case 16:
      return decode_group<16>(codes, width, columns, centroids, rows, tile, stride);
    default:
      return decode_group<0>(codes, width, columns, centroids, rows, tile, stride);
  }
}

}  // namespace

void PackedWeight::decode_integers(std::int64_t output, std::int64_t begin, std::int64_t end,
                                   float* to) const {
  const std::int64_t each = group == 0 ? columns : group, groups = groups_of(columns, group);
  for (std::int64_t first = begin, last = 0; first < end; first = last) {
    const std::int64_t g = first / each, at = output * groups + g;
    last = std::min(end, (g + 1) * each);
    if (levels.empty()) {
      const std::int64_t zero = zero_point[zero_point.size() == 1 ? 0 : at];
      for (std::int64_t c = first; c < last; ++c) to[c - begin] = static_cast<float>(code(output, c) - zero);
    } else {
      for (std::int64_t c = first; c < last; ++c) to[c - begin] = levels[code(output, c)];
    }
    if (group == 0) continue;
    for (std::int64_t c = first; c < last; ++c) to[c - begin] *= group_scale[at];
  }
}

PackedWeight::CodeRows PackedWeight::code_rows(std::int64_t tile_group) const {
  constexpr std::int64_t kGroup = kernels::kLookupGroup;
  const std::int64_t groups = (outputs + kGroup - 1) / kGroup, first = tile_group / kTileGroups * kTileGroups;
  return {first * kGroup * columns + (tile_group - first) * kGroup,
          std::min(kTileGroups, groups - first) * kGroup};
}

void PackedWeight::decode(std::int64_t tile_group, std::int64_t begin, std::int64_t end, float* tile,
                          std::int64_t stride) const {
  constexpr std::int64_t kGroup = kernels::kLookupGroup;
  const std::int64_t rows = std::min(kGroup, outputs - tile_group * kGroup);
  if (!codebook) {
    for (std::int64_t i = 0; i < rows; ++i) {
      decode_integers(tile_group * kGroup + i, begin, end, tile + i * stride);
    }
    return;
  }
  const auto [start, width] = code_rows(tile_group);
  const std::int64_t at = start + begin * width;
  if (words.size() == 0) {
    decode_any(bytes.data() + at, width, end - begin, codebook->centroids, rows, tile, stride);
  } else {
    decode_any(words.data() + at, width, end - begin, codebook->centroids, rows, tile, stride);
  }
}

}  // namespace parsimony::quant
