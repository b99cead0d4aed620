// What packed layers hold of a weight: its codes in the order that the kernels read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/table_lookup.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// Outputs of a tile: its codes lie together, column by column.
inline constexpr std::int64_t kTileGroups = 8;
inline constexpr std::int64_t kTileOutputs = kTileGroups * kernels::kLookupGroup;

/// How its codes lie: blocks of d, of integers d = 1. For a weight that check_codes has seen.
BlockGrid code_grid(const QuantizedTensor& weight);

/// block_offsets of its codes; empty where every value is at its own place.
std::vector<std::int64_t> value_places(const QuantizedTensor& weight);

/// A weight of outputs × columns · d values: products have d > 0 and codes of 8 or 16 bits in tiles, see
/// add_lookups; integers have d = 1 and rows of bytes.
struct PackedWeight {
  explicit PackedWeight(const QuantizedTensor& weight);

  std::int64_t outputs = 0, inputs = 0, columns = 0, d = 1;
  std::vector<std::int64_t> places;          ///< see value_places
  std::vector<float> scale;                  ///< of the outputs; empty: 1
  std::vector<std::int32_t> zero_point;      ///< of integers: 1 or one per output
  std::shared_ptr<const Codebook> codebook;  ///< null: integers
  Matrix<std::uint8_t> bytes;                ///< codes below 256, on the lines of the cache
  Matrix<std::uint16_t> words;               ///< others

  std::int64_t values() const { return columns * d; }
  std::int64_t memory() const;
  /// The values of a row of x where the columns have them, columns · d; completed by zeros. `space` is used
  /// where they must be moved.
  const float* gather(std::span<const float> x, std::vector<float>& space) const;
  /// tile[(o − group · 64) · stride + …] = the values of columns [begin, end) of the 64 outputs of a group,
  /// before scale; outputs beyond the last are left as they are.
  void decode(std::int64_t group, std::int64_t begin, std::int64_t end, float* tile,
              std::int64_t stride) const;
};

/// y = x Wᵀ · scale + bias by tiles of decoded weights; bias may be empty. In blocks of 64 outputs.
void multiply_decoded(const PackedWeight& weight, std::span<const float> bias, MatrixView<const float> x,
                      MatrixView<float> y, const Context& context);

}  // namespace parsimony::quant
