// Tables of inner products of rows of x, with the data that a scan of the codes needs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/lookup_tables.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "quant/packed/packed_weight.hpp"

namespace parsimony::quant {

/// Entries of a table: up to 256 centroids 16, 32, …, 256; then the next multiple of 16.
std::int64_t table_entries(std::int64_t centroids);

/// A codebook in the order in which tables are made from it.
struct TableCodebook {
  explicit TableCodebook(const Codebook& codebook);

  kernels::TransposedCodebook view() const { return {transposed.data(), transposed.rows(), entries}; }

  std::int64_t entries = 0;  ///< see table_entries
  double radius = 0;         ///< the largest norm of a centroid
  Matrix<float> transposed;  ///< d × entries
};

/// A range of `order`: columns whose tables have the same step, at most kMostLookups of them.
struct TableRun {
  std::int64_t begin = 0, count = 0;
  float step = 0;
};

struct RowTables {
  bool finite = true;
  float offset = 0;                 ///< sum of the least values of the tables
  std::vector<std::int32_t> order;  ///< the columns by falling step
  std::vector<TableRun> runs;
};

struct TableSet::Data {
  int planes = 0;  ///< 0 for float32
  std::int64_t entries = 0, columns = 0;
  std::vector<RowTables> rows;
  std::shared_ptr<const Codebook> codebook;
  std::vector<std::int64_t> places;  ///< places of the weight: the value of x at each place

  /// Fills the tables anew, in the same memory if it suffices.
  void build(const PackedWeight& weight, const TableCodebook& tables, int planes_, MatrixView<const float> x,
             const Context& context);
  kernels::LookupTables bytes(std::int64_t row) const;
  const float* floats(std::int64_t row) const;
  std::int64_t memory() const { return capacity_; }

 private:
  void build_row(std::int64_t row, const float* x, const TableCodebook& tables, const Context& context);
  std::int64_t row_bytes() const;
  void reserve(std::int64_t bytes);

  using Memory = std::unique_ptr<std::uint8_t[], ReleaseAligned>;
  Memory memory_;  // not a Matrix, which would spend time on clearing
  std::int64_t capacity_ = 0;
  std::vector<float> low_;
  std::vector<std::int32_t> level_;
};

}  // namespace parsimony::quant
