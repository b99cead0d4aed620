// Tables of inner products: what a product with a weight in codes reads instead of the weight.
//
// A weight cut into columns of blocks of d values has W x = Σ over the columns of <block, piece of x>, and a
// block is one of K centroids: per column K inner products serve all outputs [jegou2011product]. Kept in
// bytes they fit into registers.
#pragma once

#include <algorithm>
#include <cstdint>

namespace parsimony::kernels {

/// Centroids of a table; codes are bytes.
inline constexpr std::int64_t kMostEntries = 256;

/// A codebook as the tables need it: d × entries, row j holds coordinate j of every centroid. entries is a
/// multiple of 16; what lies behind the last centroid repeats one of them.
struct TransposedCodebook {
  const float* data = nullptr;
  std::int64_t d = 0;
  std::int64_t entries = 0;
};

/// Bytes from one plane to the next: a vector of 64 bytes can be read from each.
inline std::int64_t plane_bytes(std::int64_t entries) {
  return std::max<std::int64_t>(entries, 64);
}

/// The step between neighbouring values of a table of that level and so many planes: its range, which doubles
/// every other level, over 255 or 65535.
float table_step(std::int32_t level, int planes);

/// The lowest level of which the range is at least that, ≥ 0 and finite.
std::int32_t table_level(float range);

/// Tables of `columns` pieces of x, d values each, with entries ≤ 256 in 1 or 2 planes of bytes: entry k of
/// column c is v where low[c] + v · table_step(level[c], planes) is nearest to the inner product t_k, and
/// lies in byte k of the plane, or the high byte of v there and the low one in the plane behind. low[c] = min
/// t_k. level[c] is the lowest that holds max t_k − low[c], and at least least_level: at most 1.5 times that
/// range, so that the tables of one level can be summed as integers. tables: columns · planes ·
/// plane_bytes(entries) bytes on a 64-byte boundary; x · centroid must not overflow.
///
/// Limit: multiply-adds, d · entries a column (two columns share the loads of the codebook); the conversion
/// to bytes takes half as long again at d = 8.
void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level);

/// The inner products themselves, columns × entries; any number of entries that is a multiple of 16.
void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables);

/// The same in plain C++, for tests.
namespace scalar {
void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level);
void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables);
}  // namespace scalar

}  // namespace parsimony::kernels
