// Tables of inner products, which a product with a quantized weight reads instead of the weight.
//
// Cut a weight into columns of blocks of d values: W x is the sum over the columns of <block, piece of x>. As
// each block is one of K centroids, K inner products per column serve all outputs [jegou2011product]. Stored
// as bytes, they fit into registers.
#pragma once

#include <algorithm>
#include <cstdint>

namespace parsimony::kernels {

/// Largest number of centroids of a table: codes are bytes.
inline constexpr std::int64_t kMostEntries = 256;

/// A transposed codebook: d × entries, where row j holds coordinate j of every centroid. entries is a
/// multiple of 16; entries after the last centroid repeat one of the centroids.
struct TransposedCodebook {
  const float* data = nullptr;
  std::int64_t d = 0;
  std::int64_t entries = 0;
};

/// Bytes from one plane to the next: at least 64, so that a full vector can be read from each.
inline std::int64_t plane_bytes(std::int64_t entries) {
  return std::max<std::int64_t>(entries, 64);
}

/// The step between neighbouring values of a table: its range, which doubles with every second level, divided
/// by 255 for one plane or 65535 for two.
float table_step(std::int32_t level, int planes);

/// The lowest level whose range is at least `range`, which must be finite and ≥ 0.
std::int32_t table_level(float range);

/// Makes the tables of `columns` pieces of x with d values each, entries ≤ 256, in 1 or 2 planes of bytes.
/// Entry k of column c is the integer v for which low[c] + v · table_step(level[c], planes) is nearest to the
/// inner product t_k. It lies in byte k of the plane; with two planes the first has the high byte and the
/// second the low one. low[c] is the least t_k. level[c] is the lowest level, from least_level on, whose
/// range holds max t_k − low[c]: tables of one level have one step and can be summed as integers. tables:
/// columns · planes · plane_bytes(entries) bytes on a 64-byte boundary. x · centroid must not overflow.
///
/// Limit: multiply-adds, d · entries per column (two columns share the loads of the codebook). At d = 8 the
/// conversion to bytes adds half of that time.
void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level);

/// The inner products themselves, columns × entries, for any number of entries that is a multiple of 16.
void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables);

/// The same in plain C++, as a reference for tests.
namespace scalar {
void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level);
void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables);
}  // namespace scalar

}  // namespace parsimony::kernels
