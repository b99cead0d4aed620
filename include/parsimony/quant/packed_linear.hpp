// Linear layers and embeddings that work from their codes: the weight is never put back together.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

enum class TableAccuracy {
  tables8,   ///< inner products in 8 bits: 1 % of error, the fastest
  tables16,  ///< in 16 bits: 1e-4
  exact,     ///< in float32
};

constexpr auto names_of(TableAccuracy) {
  using enum TableAccuracy;
  return enum_names<TableAccuracy>({{tables8, "tables8"}, {tables16, "tables16"}, {exact, "exact"}});
}

struct PackedLinearOptions {
  TableAccuracy accuracy = TableAccuracy::tables8;
  /// Rows of x from which on tiles of the weight are decoded and multiplied as floats. 0: where that is the
  /// faster way by the costs measured for docs/packed-layers.md; with 8-bit tables it often never is.
  std::int64_t switch_batch = 0;
};

template <OptionsOf<PackedLinearOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"accuracy", "of the tables of inner products"}, options.accuracy);
  visit(Field{"switch_batch", "rows from which on the weight is decoded in tiles, 0 for the measured point",
              0, 1 << 30},
        options.switch_batch);
}

/// The tables of inner products of some rows x with a codebook. Layers with the same codebook (the same
/// pointer), the same inputs and the same accuracy can share one, as the projections of an attention do.
class TableSet {
 public:
  std::int64_t rows() const;
  std::int64_t bytes() const;  ///< memory that it holds

 private:
  friend class PackedLinear;
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// y = x Wᵀ + bias with W in codes. Copies share what they hold and may be used from several threads.
///
/// A product weight of K ≤ 256 centroids: for every block column of x the K inner products go into a table of
/// bytes, and every output sums the entries under its codes, 64 outputs at a time, in registers
/// [jegou2011product]. Tables are scaled one by one in steps of half an octave and summed as integers with
/// those of the same scale, so that one large value of x costs the others nothing. The error of a table entry
/// is at most 1.5 · r / 510 (8 bits; / 131070 with 16), r the range of its table or, where that is more, 2⁻¹⁰
/// of 2 max ‖centroid‖ √d max |x|; with Gaussian weights and 256 centroids that makes about 8e-3 (3e-5) of
/// ‖W x‖. Codebooks with rare outliers do worse. K > 256 and `exact` take float32 tables, integer weights are
/// decoded in tiles.
///
/// Time of a row: columns · K · d multiply-adds, then outputs · columns look-ups. Memory: a byte a code (two
/// with K > 256; a byte a weight of integers), and while it runs the tables, columns · K bytes a row (8-bit).
/// The same bytes for any number of threads on one SIMD target; which way is taken depends on the number of
/// rows.
class PackedLinear {
 public:
  /// weight: any scheme, layout and number of dimensions; outputs shape[0], inputs the product of the others,
  /// in C order (a convolution so multiplies its unrolled patches). The factors of its rows are folded in.
  /// bias: a value per output, or empty. Throws invalid_argument (a tensor whose parts do not fit together;
  /// options).
  explicit PackedLinear(const QuantizedTensor& weight, std::span<const float> bias = {},
                        const PackedLinearOptions& options = {});

  std::int64_t inputs() const;
  std::int64_t outputs() const;
  std::int64_t bytes() const;  ///< memory of codes, codebook, factors and bias
  /// Rows from which on `multiply` decodes; the largest int64 where it never does.
  std::int64_t switch_batch() const;

  /// x: n × inputs, y: n × outputs, n ≥ 0, not overlapping. By tables, a row of x with a value that is not
  /// finite, or so large that a product with a block may overflow, makes a row of NaN. Throws
  /// invalid_argument, cancelled.
  void multiply(MatrixView<const float> x, MatrixView<float> y, const Context& context = Context{}) const;

  /// For layers that share one. Throws invalid_argument for integer weights, which have no tables.
  TableSet tables(MatrixView<const float> x, const Context& context = Context{}) const;
  /// y: tables.rows() × outputs. Throws invalid_argument for the tables of another codebook, of other inputs
  /// or of another accuracy.
  void multiply(const TableSet& tables, MatrixView<float> y, const Context& context = Context{}) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Rows of a weight in codes, by index: an embedding as small in memory as in its file.
class PackedEmbedding {
 public:
  /// weight: 2-D, any scheme. Throws invalid_argument (a tensor whose parts do not fit together).
  explicit PackedEmbedding(QuantizedTensor weight);

  std::int64_t rows() const;
  std::int64_t dimension() const;
  std::int64_t bytes() const;

  /// out: indices.size() × dimension; row i is row indices[i] of the weight, exactly as decoded. O(dimension)
  /// a row. Throws invalid_argument (an index outside 0 … rows − 1: named).
  void lookup(std::span<const std::int64_t> indices, MatrixView<float> out) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

}  // namespace parsimony::quant
