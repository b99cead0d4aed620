#include "quant/packed_weight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw Error(ErrorCode::invalid_argument, "packed weight: " + text);
}

// Two to five dimensions of which nothing overflows 31 bits per output and 62 bits in all.
void check_shape(const std::vector<std::int64_t>& shape) {
  if (shape.size() < 2 || shape.size() > 5) {
    refuse(fmt::format("has {} dimensions; must have 2 to 5", shape.size()));
  }
  double values = 1;
  for (const std::int64_t size : shape) {
    if (size < 1) refuse(fmt::format("has a dimension of {}; must be at least 1", size));
    values *= static_cast<double>(size);
  }
  if (values / static_cast<double>(shape[0]) > std::numeric_limits<std::int32_t>::max() || values > 0x1p56) {
    refuse(fmt::format("of {} values a row and {} rows is too large", values / static_cast<double>(shape[0]),
                       shape[0]));
  }
}

// Values of an output per input channel.
std::int64_t positions(const QuantizedTensor& weight) {
  return values_per_output(weight) / weight.shape[1];
}

void check_permutation(const QuantizedTensor& weight) {
  const auto& order = weight.channel_permutation;
  if (order.empty()) return;
  const std::int64_t channels = weight.shape[1];
  std::vector<bool> seen(channels);
  for (const std::int32_t channel : order) {
    if (channel < 0 || channel >= channels || seen[channel]) {
      refuse(fmt::format("the order of its {} channels is no permutation", channels));
    }
    seen[channel] = true;
  }
  if (static_cast<std::int64_t>(order.size()) != channels) {
    refuse(fmt::format("orders {} of {} channels", order.size(), channels));
  }
}

}  // namespace

std::int64_t values_per_output(const QuantizedTensor& weight) {
  std::int64_t values = 1;
  for (std::size_t i = 1; i < weight.shape.size(); ++i) values *= weight.shape[i];
  return values;
}

std::int64_t codes_per_output(const QuantizedTensor& weight) {
  const std::int64_t values = values_per_output(weight);
  if (weight.scheme == Scheme::integer) return values;
  const std::int64_t d = weight.codebook->centroids.cols();
  if (weight.layout == BlockLayout::row) return (values + d - 1) / d;
  return (weight.shape[1] + d - 1) / d * positions(weight);
}

std::uint16_t code_at(const QuantizedTensor& weight, std::int64_t i) {
  std::uint32_t bits = 0;  // a code of up to 16 bits lies in at most 3 bytes
  const std::int64_t first = i * weight.bits, byte = first / 8;
  for (std::int64_t b = 0; b < 3 && byte + b < static_cast<std::int64_t>(weight.packed.size()); ++b) {
    bits |= std::uint32_t{weight.packed[byte + b]} << (8 * b);
  }
  return static_cast<std::uint16_t>((bits >> (first % 8)) & ((1u << weight.bits) - 1));
}

void check_tensor(const QuantizedTensor& weight) {
  check_shape(weight.shape);
  check_permutation(weight);
  const bool product = weight.scheme == Scheme::product;
  if (weight.bits < (product ? 1 : 2) || weight.bits > (product ? 16 : 8)) {
    refuse(fmt::format("{} codes of {} bits; must have {}", enum_name(weight.scheme), weight.bits,
                       product ? "1 to 16" : "2 to 8"));
  }
  if (product &&
      (!weight.codebook || weight.codebook->centroids.rows() < 1 || weight.codebook->centroids.cols() < 1)) {
    refuse("has no codebook");
  }
  const auto outputs = static_cast<std::size_t>(weight.shape[0]);
  const std::size_t scales = weight.scale.size(), zeros = weight.zero_point.size();
  if (product ? (scales != 0 && scales != outputs) || zeros != 0
              : (scales != 1 && scales != outputs) || zeros != scales) {
    refuse(fmt::format("{} codes of {} rows with {} scales and {} zero points", enum_name(weight.scheme),
                       outputs, scales, zeros));
  }
  const std::int64_t codes = weight.shape[0] * codes_per_output(weight);
  if (codes > static_cast<std::int64_t>(weight.packed.size()) * 8 / weight.bits) {
    refuse(
        fmt::format("{} codes of {} bits do not lie in {} bytes", codes, weight.bits, weight.packed.size()));
  }
  if (!product) return;
  const std::int64_t centroids = weight.codebook->centroids.rows();
  if (centroids >= std::int64_t{1} << weight.bits) return;
  for (std::int64_t i = 0; i < codes; ++i) {
    const std::uint16_t code = code_at(weight, i);
    if (code >= centroids) refuse(fmt::format("code {} is {} of {} centroids", i, code, centroids));
  }
}

std::vector<std::int32_t> value_places(const QuantizedTensor& weight) {
  const std::int64_t values = values_per_output(weight), each = positions(weight), channels = weight.shape[1];
  const std::int64_t d = weight.scheme == Scheme::product ? weight.codebook->centroids.cols() : 1;
  const std::int64_t columns = codes_per_output(weight);
  std::vector<std::int32_t> places(columns * d, -1);
  const auto place = [&](std::int64_t channel, std::int64_t position) {
    const auto& order = weight.channel_permutation;
    return static_cast<std::int32_t>((order.empty() ? channel : order[channel]) * each + position);
  };
  bool moved = columns * d != values;
  const bool by_row = weight.scheme == Scheme::integer || weight.layout == BlockLayout::row;
  for (std::int64_t i = 0; i < columns * d; ++i) {
    if (by_row) {
      if (i < values) places[i] = place(i / each, i % each);
    } else {
      const std::int64_t blocks = columns / each, channel = i / d % blocks * d + i % d;
      if (channel < channels) places[i] = place(channel, i / d / blocks);
    }
    moved = moved || places[i] != i;
  }
  if (!moved) places.clear();
  return places;
}

PackedWeight::PackedWeight(const QuantizedTensor& weight) {
  check_tensor(weight);
  outputs = weight.shape[0];
  inputs = values_per_output(weight);
  columns = codes_per_output(weight);
  places = value_places(weight);
  scale = weight.scale;
  zero_point = weight.zero_point;
  if (scale.size() == 1) scale.assign(outputs, weight.scale[0]);
  const auto codes = unpack_codes(weight.packed, weight.bits, outputs * columns);
  if (weight.scheme == Scheme::integer) {
    bytes = Matrix<std::uint8_t>(1, static_cast<std::int64_t>(codes.size()));
    std::copy(codes.begin(), codes.end(), bytes.data());
    return;
  }
  codebook = weight.codebook;
  d = codebook->centroids.cols();
  const std::int64_t groups = (outputs + kernels::kLookupGroup - 1) / kernels::kLookupGroup;
  const std::int64_t count = groups * kernels::kLookupGroup * columns;
  const bool wide = codebook->centroids.rows() > 256;
  if (wide) {
    words = Matrix<std::uint16_t>(1, count);
  } else {
    bytes = Matrix<std::uint8_t>(1, count);
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t group = o / kernels::kLookupGroup, tile = group / kTileGroups;
    const std::int64_t width = std::min(kTileGroups, groups - tile * kTileGroups) * kernels::kLookupGroup;
    const std::int64_t first = tile * kTileOutputs * columns + group % kTileGroups * kernels::kLookupGroup +
                               kernels::lookup_place(o % kernels::kLookupGroup);
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::uint16_t code = codes[o * columns + c];
      if (wide) {
        words.data()[first + c * width] = code;
      } else {
        bytes.data()[first + c * width] = static_cast<std::uint8_t>(code);
      }
    }
  }
}

std::int64_t PackedWeight::memory() const {
  const auto of = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  return of(places) + of(scale) + of(zero_point) + bytes.size() + 2 * words.size() +
         (codebook ? codebook->centroids.size() * 4 : 0);
}

const float* PackedWeight::gather(std::span<const float> x, std::vector<float>& space) const {
  if (places.empty()) return x.data();
  space.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) space[i] = places[i] < 0 ? 0.0f : x[places[i]];
  return space.data();
}

namespace {

// kD = 0: any d.
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

void PackedWeight::decode(std::int64_t group, std::int64_t begin, std::int64_t end, float* tile,
                          std::int64_t stride) const {
  constexpr std::int64_t kGroup = kernels::kLookupGroup;
  const std::int64_t rows = std::min(kGroup, outputs - group * kGroup);
  if (!codebook) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t o = group * kGroup + i;
      const std::int32_t zero = zero_point[zero_point.size() == 1 ? 0 : o];
      const std::uint8_t* from = bytes.data() + o * columns;
      for (std::int64_t c = begin; c < end; ++c) {
        tile[i * stride + c - begin] = static_cast<float>(from[c] - zero);
      }
    }
    return;
  }
  const std::int64_t groups = (outputs + kGroup - 1) / kGroup, first = group / kTileGroups * kTileGroups;
  const std::int64_t width = std::min(kTileGroups, groups - first) * kGroup;
  const std::int64_t at = first * kGroup * columns + (group - first) * kGroup + begin * width;
  if (words.size() == 0) {
    decode_any(bytes.data() + at, width, end - begin, codebook->centroids, rows, tile, stride);
  } else {
    decode_any(words.data() + at, width, end - begin, codebook->centroids, rows, tile, stride);
  }
}

}  // namespace parsimony::quant
