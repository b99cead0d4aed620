// Tiles of a packed weight as signed bytes, and their product with rows of bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/centroid_bytes.hpp"
#include "kernels/integer_product.hpp"
#include "kernels/interleave_bytes.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "quant/packed/packed_weight.hpp"

namespace parsimony::quant {

/// Blocks in float32 cost about a hundred times as much as others: one in so many may be.
inline constexpr std::int64_t kBlocksPerOutlier = 1024;

/// A block that is multiplied in float32.
struct OutlierBlock {
  std::int32_t column = 0;
  std::int32_t output = 0;
  std::int32_t code = 0;
};

/// The data that turns tiles of a packed weight into signed bytes.
struct IntegerWeight {
  /// Whether tiles of the weight can be signed bytes: see PackedLinear.
  static bool fits(const PackedWeight& weight);

  /// weight must fit, and kind must be one of the integers.
  IntegerWeight(const PackedWeight& weight, TileProduct kind);

  kernels::IntegerRange range = kernels::IntegerRange::rows8;
  float step = 1;                    ///< all values of tiles are multiplied by it
  kernels::CentroidBytes centroids;  ///< for products
  /// The bytes of each level, at least 16; empty: code − zero.
  std::vector<std::int8_t> bytes;
  /// For integers of 8 bits, whose code − zero_point may not fit a byte: tiles hold code − 128, and outputs
  /// get the sum of the row, times 128 − zero_point.
  bool shifted = false;
  std::vector<OutlierBlock> outliers;       ///< by groups of 64 outputs, then columns
  std::vector<std::int64_t> outlier_begin;  ///< index of the first block of each group, and their number

  /// Writes the tiles of all groups, which products then read; codes of integers are not read any more.
  void keep_tiles(const PackedWeight& weight);
  bool has_tiles() const { return tiles_.size() > 0; }
  /// Kept tiles of a group: some segments, after which as many more are fetched.
  kernels::IntegerTile tile(const PackedWeight& weight, std::int64_t tile_group, std::int64_t segment,
                            std::int64_t segments) const;
  /// The value of rows of bytes that stands for 0.
  std::int32_t zero() const { return range == kernels::IntegerRange::rows8 ? 128 : 64; }

  /// Rows of x up to which multiply_codes is faster; 0 where it cannot be used.
  std::int64_t most_rows_of_codes(const PackedWeight& weight) const;
  /// The value of a code in units of step, without group_scale.
  float value(const PackedWeight& weight, std::int64_t output, std::int64_t column) const;
  std::int64_t memory() const;
  /// Segments [begin, end) of the tile of a group of 64 outputs: bytes, and scales if the weight has groups.
  void decode(const PackedWeight& weight, std::int64_t tile_group, std::int64_t begin, std::int64_t end,
              std::int8_t* tile, float* scales) const;

 private:
  void round_centroids(const PackedWeight& weight, int most);
  void decode_integers(const PackedWeight& weight, std::int64_t tile_group, std::int64_t first,
                       std::int64_t last, std::int8_t* tile) const;
  void decode_by_code(const PackedWeight& weight, std::int64_t output, std::int64_t at, std::int64_t last,
                      const kernels::CodeBytes& values, std::int8_t* tile) const;
  void list_outliers(const PackedWeight& weight, const std::vector<bool>& outlier);

  // By groups of 64 outputs, then segments.
  Matrix<std::int8_t> tiles_;
  Matrix<std::int32_t> offsets_;
  Matrix<float> scales_;  // empty without groups
};

/// y = x Wᵀ · scale + bias by integers, from tiles or, for few rows of x, from the codes. bias may be empty.
void multiply_integers(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                       MatrixView<const float> x, MatrixView<float> y, const Context& context);
/// Its two ways. Tiles: any weight that fits. Codes: integers whose levels a register holds.
void multiply_tiles(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                    MatrixView<const float> x, MatrixView<float> y, const Context& context);
void multiply_codes(const PackedWeight& weight, const IntegerWeight& integers, std::span<const float> bias,
                    MatrixView<const float> x, MatrixView<float> y, const Context& context);
/// Peak memory of a product with this many rows, with a tile for each thread.
std::int64_t integers_memory(const PackedWeight& weight, const IntegerWeight& integers, std::int64_t rows,
                             int threads);

}  // namespace parsimony::quant
