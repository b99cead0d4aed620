// Products of rows of unsigned bytes with a tile of signed bytes, summed in 32-bit integers.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Outputs of a tile.
inline constexpr std::int64_t kIntegerOutputs = 64;
/// Inputs of a segment: they share a scale of each row and, in a tile with scales, of each output.
inline constexpr std::int64_t kIntegerSegment = 64;
/// Bytes of a segment of a tile.
inline constexpr std::int64_t kIntegerSegmentBytes = kIntegerSegment * kIntegerOutputs;

enum class IntegerRange {
  rows8,       ///< rows of 0 to 255, tiles of −128 to 127
  rows7,       ///< rows of 0 to 127: twice as fast on a processor without VNNI
  rows7tiles6  ///< rows of 0 to 127, tiles of −63 to 63: still faster there
};

/// Rows of bytes: byte i of row r is values[r · stride + i], and segment s has the scale scales[r ·
/// scale_stride + s].
struct IntegerRows {
  const std::uint8_t* values = nullptr;
  std::int64_t stride = 0;
  const float* scales = nullptr;
  std::int64_t scale_stride = 0;
  std::int64_t count = 0;
};

/// A tile: the bytes of inputs 4 i to 4 i + 3 of output o begin at values + 256 i + 4 o.
struct IntegerTile {
  const std::int8_t* values = nullptr;
  const std::int32_t* offsets = nullptr;  ///< segments × 64, see integer_offsets
  const float* scales = nullptr;          ///< segments × 64; nullptr: 1
  /// The tile that is multiplied after this one, where it is not in the cache, and its bytes: they are
  /// fetched meanwhile.
  const std::int8_t* next = nullptr;
  std::int64_t next_bytes = 0;
};

/// sums[64 r + o] += Σ_s row scale · tile scale · (offsets[64 s + o] + Σ_i row[i] · tile[i][o]), i over the
/// inputs of segment s, for all rows and the outputs of the tile. Integer sums are exact; the segments are
/// added in their order. Values must be in the range. No pointer needs alignment; sums must not overlap the
/// others.
///
/// Limit: on processors with VNNI an instruction of four products per lane; otherwise three instructions of
/// two, or two with rows7tiles6, which adds two products of 16 bits first. rows8 takes five there.
void integer_product(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                     IntegerRange range, float* sums);

/// sums[o] += value · scales[o] · the byte of one input, of output o, for the 64 outputs of a segment of a
/// tile. scales: 64, or nullptr: 1. Limit: a conversion and a multiply-add for each output.
void add_integer_input(const std::int8_t* segment, std::int64_t input, float value, const float* scales,
                       float* sums);

/// Turns the sums of a tile into outputs, of which there may be fewer than 64.
struct IntegerResults {
  const float* factor = nullptr;    ///< one for each output
  const float* shift = nullptr;     ///< one for each output, multiplied by row_sums; nullptr: 0
  const float* constant = nullptr;  ///< one for each output
  const float* row_sums = nullptr;  ///< one for each row; only with shift
  std::int64_t outputs = kIntegerOutputs;
};

/// y[stride · r + o] = (sums[64 r + o] + shift[o] · row_sums[r]) · factor[o] + constant[o] for all rows. sums
/// has 64 values for each row. Limit: a load and a store.
void integer_results(const float* sums, std::int64_t rows, const IntegerResults& results, float* y,
                     std::int64_t stride);

/// The measured cost of a product on the current SIMD target, in multiply-adds of matrix_product.
double integer_cost(IntegerRange range);

/// offsets[64 s + o] = −zero · Σ_i values[i][o] over the inputs of segment s. integer_product adds them so
/// that rows count from `zero`.
void integer_offsets(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                     std::int32_t* offsets);

/// The same in plain C++, as references for tests.
void integer_product_scalar(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                            IntegerRange range, float* sums);
void add_integer_input_scalar(const std::int8_t* segment, std::int64_t input, float value,
                              const float* scales, float* sums);
void integer_results_scalar(const float* sums, std::int64_t rows, const IntegerResults& results, float* y,
                            std::int64_t stride);
void integer_offsets_scalar(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                            std::int32_t* offsets);

}  // namespace parsimony::kernels
