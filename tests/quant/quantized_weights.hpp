// Random weights in codes, and their dense values straight from what quantized_tensor.hpp says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

inline Matrix<float> normals(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<float> out(rows, cols);
  RandomStream(seed, "test.normals").fill_normal(out.values());
  return out;
}

inline std::shared_ptr<const Codebook> random_codebook(std::int64_t centroids, std::int64_t d,
                                                       std::uint64_t seed = 1) {
  auto codebook = std::make_shared<Codebook>();
  codebook->centroids = normals(centroids, d, seed);
  return codebook;
}

inline std::int64_t values_of(const QuantizedTensor& weight) {
  std::int64_t values = 1;
  for (std::size_t i = 1; i < weight.shape.size(); ++i) values *= weight.shape[i];
  return values;
}

inline std::int64_t blocks_of(const QuantizedTensor& weight) {
  const std::int64_t d = weight.codebook->centroids.cols(), values = values_of(weight);
  if (weight.layout == BlockLayout::row) return (values + d - 1) / d;
  return values / weight.shape[1] * ((weight.shape[1] + d - 1) / d);
}

inline void fill_codes(QuantizedTensor& weight, std::int64_t count, std::uint64_t below, std::uint64_t seed) {
  std::vector<std::uint16_t> codes(count);
  const RandomStream stream(seed, "test.codes");
  for (std::int64_t i = 0; i < count; ++i) codes[i] = static_cast<std::uint16_t>(stream.below(below, i));
  weight.packed = pack_codes(codes, weight.bits);
}

inline QuantizedTensor random_product(std::vector<std::int64_t> shape,
                                      std::shared_ptr<const Codebook> codebook, bool scaled = false,
                                      BlockLayout layout = BlockLayout::row, bool permuted = false,
                                      std::uint64_t seed = 2) {
  QuantizedTensor weight;
  weight.shape = std::move(shape);
  weight.scheme = Scheme::product;
  weight.codebook = std::move(codebook);
  weight.layout = layout;
  const std::int64_t centroids = weight.codebook->centroids.rows();
  for (weight.bits = 1; std::int64_t{1} << weight.bits < centroids;) ++weight.bits;
  fill_codes(weight, weight.shape[0] * blocks_of(weight), centroids, seed);
  const RandomStream stream(seed, "test.rest");
  if (scaled) {
    for (std::int64_t o = 0; o < weight.shape[0]; ++o) {
      weight.scale.push_back(static_cast<float>(0.5 + stream.uniform(o)));
    }
  }
  if (permuted) {
    for (std::int32_t c = 0; c < weight.shape[1]; ++c) weight.channel_permutation.push_back(c);
    for (std::int64_t c = 0; c < weight.shape[1]; ++c) {
      std::swap(weight.channel_permutation[c], weight.channel_permutation[stream.below(c + 1, 1000 + c)]);
    }
  }
  return weight;
}

inline QuantizedTensor random_integers(std::vector<std::int64_t> shape, int bits, bool per_row) {
  QuantizedTensor weight;
  weight.shape = std::move(shape);
  weight.bits = bits;
  fill_codes(weight, weight.shape[0] * values_of(weight), 1u << bits, 3);
  for (std::int64_t i = 0; i < (per_row ? weight.shape[0] : 1); ++i) {
    weight.scale.push_back(0.01f * static_cast<float>(i % 7 + 1));
    weight.zero_point.push_back(static_cast<std::int32_t>(i * 5 % (1 << bits)));
  }
  return weight;
}

/// outputs × values.
inline Matrix<float> dense(const QuantizedTensor& weight) {
  const std::int64_t outputs = weight.shape[0], values = values_of(weight), channels = weight.shape[1],
                     positions = values / channels;
  Matrix<float> out(outputs, values);
  const auto channel = [&](std::int64_t p) {
    return weight.channel_permutation.empty() ? p : weight.channel_permutation[p];
  };
  if (weight.scheme == Scheme::integer) {
    const auto codes = unpack_codes(weight.packed, weight.bits, outputs * values);
    for (std::int64_t i = 0; i < outputs * values; ++i) {
      const std::int64_t s = weight.scale.size() == 1 ? 0 : i / values, v = i % values;
      out(i / values, v) = weight.scale[s] * static_cast<float>(codes[i] - weight.zero_point[s]);
    }
    return out;
  }
  const std::int64_t d = weight.codebook->centroids.cols(), blocks = blocks_of(weight);
  const auto codes = unpack_codes(weight.packed, weight.bits, outputs * blocks);
  for (std::int64_t o = 0; o < outputs; ++o) {
    const float scale = weight.scale.empty() ? 1 : weight.scale[o];
    for (std::int64_t v = 0; v < values; ++v) {
      const std::int64_t p = v / positions, position = v % positions;
      std::int64_t block = v / d, j = v % d;
      if (weight.layout == BlockLayout::input_channels) {
        block = position * (blocks / positions) + p / d;
        j = p % d;
      }
      out(o, channel(p) * positions + position) =
          scale * weight.codebook->centroids(codes[o * blocks + block], j);
    }
  }
  return out;
}

}  // namespace parsimony::quant
