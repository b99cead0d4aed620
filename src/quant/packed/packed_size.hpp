// The memory of packed layers, told by the tensor before a layer is made of it.
#pragma once

#include <cstdint>

#include "kernels/integer_product.hpp"
#include "kernels/lookup_tables.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// Bits of a code of integers in a layer, where the codes of an output begin at a byte: 4 or 8.
constexpr int row_bits_of(int bits, std::int64_t columns) {
  return bits <= 4 && columns % 2 == 0 ? 4 : 8;
}

/// Whether segments of tiles have whole blocks of bytes, or a scale each. codebook: null for integers.
inline bool fits_segments(const Codebook* codebook, std::int64_t group) {
  if (codebook == nullptr) return group % kernels::kIntegerSegment == 0;
  return codebook->centroids.rows() <= kernels::kMostEntries &&
         kernels::kIntegerSegment % codebook->centroids.cols() == 0;
}

/// Whether a layer keeps its tiles of integers. codebook: null for integers, which have row_bits.
constexpr bool keeps_tiles(KeepTiles keep_tiles, const Codebook* codebook, int row_bits) {
  const bool same_size = codebook == nullptr && row_bits == 8;
  return keep_tiles == KeepTiles::always || (keep_tiles == KeepTiles::automatic && same_size);
}

struct PackedBytes {
  std::int64_t codes = 0;  ///< none where tiles take their place
  std::int64_t tiles = 0;  ///< kept tiles, the sums of their columns and the scales of their groups
  std::int64_t rest = 0;   ///< scales, codebook, bias and the order of the values

  std::int64_t total() const { return codes + tiles + rest; }
  PackedBytes& operator+=(const PackedBytes& right) {
    codes += right.codes;
    tiles += right.tiles;
    rest += right.rest;
    return *this;
  }
};

/// Not less than bytes() of a PackedLinear with these options and a bias. weight has passed check_codes.
PackedBytes most_packed_bytes(const QuantizedTensor& weight, const PackedLinearOptions& options);

/// Not less than bytes() of a PackedEmbedding.
std::int64_t most_embedding_bytes(const QuantizedTensor& weight);

}  // namespace parsimony::quant
