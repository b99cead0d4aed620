// Codes of a weight in the order in which the kernels of the packed layers read them.
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

/// Outputs of a tile. The codes of a tile are contiguous, column by column.
inline constexpr std::int64_t kTileGroups = 8;
inline constexpr std::int64_t kTileOutputs = kTileGroups * kernels::kLookupGroup;

/// Rows of x that a product with decoded tiles takes at once: a tile is decoded again for each of these
/// parts, which costs little.
inline constexpr std::int64_t kMostRows = 1024;

/// The blocks of a weight that has passed check_codes; integers have d = 1.
BlockGrid code_grid(const QuantizedTensor& weight);

/// block_offsets of the codes; empty if every value stays in its place.
std::vector<std::int64_t> value_places(const QuantizedTensor& weight);

/// Codes of a product in tiles, where groups of outputs are whole.
constexpr std::int64_t packed_code_count(std::int64_t outputs, std::int64_t columns) {
  return (outputs + kernels::kLookupGroup - 1) / kernels::kLookupGroup * kernels::kLookupGroup * columns;
}

/// A weight of outputs × columns · d values. Products have codes of 8 or 16 bits in tiles, see add_lookups.
/// Integers have d = 1 and rows of codes of 4 or 8 bits: those of the tensor where they have this width.
struct PackedWeight {
  explicit PackedWeight(const QuantizedTensor& weight);

  std::int64_t outputs = 0, inputs = 0, columns = 0, d = 1;
  std::vector<std::int64_t> places;      ///< see value_places
  std::vector<float> scale;              ///< one per output; empty: 1
  std::vector<std::int32_t> zero_point;  ///< for integers: one, or one per output or group; see levels
  std::vector<float> levels;             ///< for integers: the value of each code; empty: code − zero_point
  std::int64_t group = 0;                ///< for integers: columns that share a scale; 0: all
  std::vector<float> group_scale;        ///< per output and group, with which decode() multiplies
  std::shared_ptr<const Codebook> codebook;  ///< null for integers
  PackedCodes row_codes;                     ///< for integers: whole bytes for each output
  int row_bits = 8;                          ///< bits of a code in row_codes: 4 or 8
  Matrix<std::uint8_t> bytes;                ///< for products: codes below 256
  Matrix<std::uint16_t> words;               ///< codes of 256 and more

  std::int64_t values() const { return columns * d; }
  /// For integers: bytes of the codes of an output.
  std::int64_t row_bytes() const { return columns * row_bits / 8; }
  /// For integers: a code of an output.
  std::uint8_t code(std::int64_t output, std::int64_t column) const {
    const std::uint8_t* row = row_codes.data() + output * row_bytes();
    return row_bits == 8 ? row[column] : (row[column / 2] >> (4 * (column % 2))) & 15U;
  }
  std::int64_t memory() const;
  /// The values of a row of x in the order of the columns, columns · d, completed by zeros. Uses `space` if
  /// values must move.
  const float* gather(std::span<const float> x, std::vector<float>& space) const;
  /// tile[(o − group · 64) · stride + …] = the values of columns [begin, end) of the 64 outputs of a group,
  /// multiplied by group_scale but not by scale. Leaves places of outputs beyond the last as they are.
  void decode(std::int64_t tile_group, std::int64_t begin, std::int64_t end, float* tile,
              std::int64_t stride) const;
  /// For products: the 64 codes of column c of a group begin at index start + c · width of bytes or words.
  struct CodeRows {
    std::int64_t start = 0, width = 0;
  };
  CodeRows code_rows(std::int64_t tile_group) const;

 private:
  // Puts the codes of a product, output by output, into the order of tiles.
  template <class From, class To>
  void arrange(const From* codes, To* to) const;
  void decode_integers(std::int64_t output, std::int64_t begin, std::int64_t end, float* to) const;
};

/// y = x Wᵀ · scale + bias, from tiles of decoded weights in blocks of 64 outputs. bias may be empty.
void multiply_decoded(const PackedWeight& weight, std::span<const float> bias, MatrixView<const float> x,
                      MatrixView<float> y, const Context& context);
/// Peak memory of a product with this many rows, with a tile for each thread.
std::int64_t decoded_memory(const PackedWeight& weight, std::int64_t rows, int threads);

}  // namespace parsimony::quant
