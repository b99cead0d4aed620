// Linear layers and embeddings that compute from codes and never decode a whole weight.
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
  tables8,   ///< 8-bit inner products: the fastest, an error of about 1 %
  tables16,  ///< 16-bit inner products: an error of about 1e-4
  exact,     ///< float32 inner products
};

constexpr auto names_of(TableAccuracy) {
  using enum TableAccuracy;
  return enum_names<TableAccuracy>({{tables8, "tables8"}, {tables16, "tables16"}, {exact, "exact"}});
}

/// How tiles of decoded weights are multiplied with many rows of x.
enum class TileProduct {
  floats,     ///< float32
  integers8,  ///< x in 8 bits, weights in 8: an error of about 1 %
  integers7,  ///< x in 7 bits: an error of about 1.5 %; faster where the processor has no VNNI
  integers6,  ///< x in 7 bits, centroids in 6: an error of about 2 %; still faster there
};

constexpr auto names_of(TileProduct) {
  using enum TileProduct;
  return enum_names<TileProduct>(
      {{floats, "floats"}, {integers8, "integers8"}, {integers7, "integers7"}, {integers6, "integers6"}});
}

/// Which tiles of integers stay in memory between products.
enum class KeepTiles {
  automatic,  ///< those of integers whose codes take a byte each, in place of these
  never,      ///< none: each product writes its tiles anew, and integer codes stay where the tensor has them
  always,     ///< all, a byte for each weight
};

constexpr auto names_of(KeepTiles) {
  using enum KeepTiles;
  return enum_names<KeepTiles>({{automatic, "auto"}, {never, "never"}, {always, "always"}});
}

struct PackedLinearOptions {
  TableAccuracy accuracy = TableAccuracy::tables8;
  /// Integers are several times faster than floats. See PackedLinear for weights that always take floats.
  TileProduct tiles = TileProduct::floats;
  /// Number of rows of x from which on the layer decodes tiles of the weight and multiplies floats. 0: the
  /// number at which that is faster by the costs measured for docs/packed-layers.md; with 8-bit tables it
  /// often never is. With tiles of integers it is about 8, or more for layers with many more outputs than
  /// inputs on processors with byte permutes.
  std::int64_t switch_batch = 0;
  /// Kept tiles save a third of the time of 16 rows. `always` is for codes of fewer bits where there is
  /// memory for it; `never` for processes that share the codes of a mapped file. A product with tiles gives
  /// the same bytes whether they are kept or not, but fewer rows suffice for it where they are. Layers of
  /// integers without kept tiles multiply one or two rows with the codes in another order. For products a
  /// measured switch_batch is lower with `always`: from there to that of `never`, results have the error of
  /// `tiles` in place of that of `accuracy`.
  KeepTiles keep_tiles = KeepTiles::automatic;
};

template <OptionsOf<PackedLinearOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"accuracy", "accuracy of the tables of inner products"}, options.accuracy);
  visit(Field{"switch_batch", "rows from which on tiles of the weight are decoded; auto: by measured costs",
              1, 1 << 30, "auto", 0},
        options.switch_batch);
  visit(Field{"tiles", "how decoded tiles are multiplied; integers are the fastest for many rows"},
        options.tiles);
  visit(Field{"keep_tiles",
              "tiles of integers that stay in memory; auto: those of codes of more than 4 bits, in place of "
              "these"},
        options.keep_tiles);
}

/// Tables of inner products of rows x with the centroids of a codebook. Layers with the same codebook (the
/// same pointer), the same inputs and the same accuracy can share them, as the projections of an attention
/// do.
class TableSet {
 public:
  std::int64_t rows() const;
  std::int64_t bytes() const;  ///< memory of the tables

 private:
  friend class PackedLinear;
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// y = x Wᵀ + bias with W in codes. Copies share their data and may be used from several threads.
///
/// Products of K ≤ 256 centroids: for every block column of x, a table of bytes holds the K inner products,
/// and every output sums the entries under its codes, 64 outputs at a time in registers [jegou2011product].
/// Each table has its own scale, in steps of half an octave, and is summed as integers with tables of the
/// same scale, so one large value of x does not spoil the others. The error of an entry is at most 1.5 · r /
/// 510 (8 bits; / 131070 with 16). Here r is the range of its table, or 2⁻¹⁰ · 2 max ‖centroid‖ √d max |x| if
/// that is larger. For Gaussian weights and 256 centroids this gives about 8e-3 (3e-5) of ‖W x‖; codebooks
/// with rare outliers have a larger error. K > 256 and `exact` use float32 tables; integer weights are
/// decoded in tiles.
///
/// Tiles of integers: every 64 inputs of a row of x share a scale and become bytes; centroids, levels and
/// codes become signed bytes with one scale for a weight, an output or a group. The sums of 64 products are
/// exact, and are added in float32. Centroids that are many times larger than the others would leave them few
/// digits: where at most one block in 1024 has such a centroid, these blocks are multiplied in float32. So
/// are up to four values of 64 in x that are twelve times the root mean square of the others, or more. Where
/// tiles are not kept, a few rows of x are multiplied with the codes of integers. Weights take floats instead
/// if their codebook has more than 256 centroids or blocks whose size does not divide 64, if 64 does not
/// divide their groups, or if they have groups with codes of 8 bits and zero points.
///
/// Time of a row: columns · K · d multiply-adds, then outputs · columns look-ups. Memory: a byte per code
/// (two with K > 256; for integers a byte, or half of one up to 4 bits with an even number of inputs, which
/// are those of the tensor if it has codes of this width), kept tiles, and during the run product_bytes().
/// The same bytes for any number of threads on one SIMD target. The number of rows decides between tables and
/// tiles.
class PackedLinear {
 public:
  /// weight: any scheme, layout and number of dimensions. It has shape[0] outputs, and as many inputs as the
  /// product of the other dimensions, in C order, so a convolution multiplies its unrolled patches. The
  /// factors of the rows are multiplied in. bias: one value per output, or empty. Throws invalid_argument (a
  /// tensor whose parts do not fit together; options).
  explicit PackedLinear(const QuantizedTensor& weight, std::span<const float> bias = {},
                        const PackedLinearOptions& options = {});

  std::int64_t inputs() const;
  std::int64_t outputs() const;
  std::int64_t bytes() const;  ///< memory of codes, kept tiles, codebook, factors and bias
  /// Number of rows from which on `multiply` decodes tiles; the largest int64 if it never does.
  std::int64_t switch_batch() const;
  /// Whether `multiply` decodes tiles of integers rather than floats.
  bool integer_tiles() const;
  /// Most memory of `multiply` for x with so many rows, on so many threads.
  std::int64_t product_bytes(std::int64_t rows, int threads) const;

  /// x: n × inputs, y: n × outputs, n ≥ 0; they must not overlap. With tables or integers, a row of x gives a
  /// row of NaN if a value is not finite or so large that a product with a block may overflow. Throws
  /// invalid_argument, cancelled.
  void multiply(MatrixView<const float> x, MatrixView<float> y, const Context& context = Context{}) const;

  /// Tables for layers that share them. Throws invalid_argument for integer weights, which have no tables.
  TableSet tables(MatrixView<const float> x, const Context& context = Context{}) const;
  /// y: tables.rows() × outputs. Throws invalid_argument for tables of another codebook, number of inputs or
  /// accuracy.
  void multiply(const TableSet& tables, MatrixView<float> y, const Context& context = Context{}) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Looks up rows of a weight in codes: an embedding as small in memory as in its file.
class PackedEmbedding {
 public:
  /// weight: 2-D, any scheme. Throws invalid_argument (a tensor whose parts do not fit together).
  explicit PackedEmbedding(QuantizedTensor weight);

  std::int64_t rows() const;
  std::int64_t dimension() const;
  std::int64_t bytes() const;

  /// out: indices.size() × dimension; row i becomes row indices[i] of the weight, exactly as decode() gives
  /// it. O(dimension) per row. Throws invalid_argument, naming it, for an index outside 0 … rows − 1.
  void lookup(std::span<const std::int64_t> indices, MatrixView<float> out) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

}  // namespace parsimony::quant
