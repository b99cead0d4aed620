// Decodes product codes to the signed bytes of a tile of integer_product.
#pragma once

#include <cstdint>
#include <vector>

namespace parsimony::kernels {

/// The bytes of K ≤ 256 centroids of d values; centroid_bytes() needs a multiple of 4.
class CentroidBytes {
 public:
  CentroidBytes() = default;
  /// values: K × d, at least one centroid.
  CentroidBytes(std::vector<std::int8_t> values, std::int64_t d);

  std::int64_t d() const { return d_; }
  std::int64_t count() const { return static_cast<std::int64_t>(values_.size()) / d_; }
  /// K × d.
  const std::int8_t* values() const { return values_.data(); }
  /// d × plane_size(): value j of all centroids, with zeros after the last.
  const std::int8_t* planes() const { return planes_.data(); }
  std::int64_t plane_size() const { return plane_size_; }  ///< 64, 128 or 256
  std::int64_t memory() const { return static_cast<std::int64_t>(values_.size() + planes_.size()); }

 private:
  std::int64_t d_ = 4, plane_size_ = 64;
  std::vector<std::int8_t> values_, planes_;
};

/// Writes the bytes of `columns` columns of blocks of the 64 outputs of a tile, in the order of
/// integer_product: value j of the block of output o in column c goes to tile[256 · ((c · d + j) / 4) + 4 o +
/// (c · d + j) % 4]. The 64 codes of column c begin at codes + c · width, output o at lookup_place(o); no
/// code is above K − 1. No pointer needs alignment.
///
/// Limit: with byte permutes of AVX-512 (VBMI), eight of them for 256 bytes; otherwise a load of the code,
/// one of eight bytes and a store of them.
void centroid_bytes(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                    std::int64_t columns, std::int8_t* tile);

/// The measured cost of a block of d values on the current SIMD target, in multiply-adds of matrix_product.
double centroid_bytes_cost(std::int64_t d);

/// The same in plain C++, as a reference for tests.
void centroid_bytes_scalar(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                           std::int64_t columns, std::int8_t* tile);

}  // namespace parsimony::kernels
