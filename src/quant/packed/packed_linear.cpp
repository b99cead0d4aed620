#include "parsimony/quant/packed_linear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/count_of.hpp"
#include "core/files/mapped_file.hpp"
#include "parsimony/core/error.hpp"
#include "quant/packed/integer_weight.hpp"
#include "quant/packed/packed_size.hpp"
#include "quant/packed/table_set.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// Makes tables of several rows before it reads a tile of codes, as many as fit in the second cache.
constexpr std::int64_t kTableBytes = std::int64_t{1} << 19;
constexpr std::int64_t kFloatColumns = 16;  // columns whose float32 tables fit in the first cache

// Costs in multiply-adds of matrix_product, measured for docs/packed-layers.md. A product with few columns is
// slower than its best.
constexpr double kDecodePerCode = 60, kBytesPerCode = 40, kFloatLookup = 18, kConversionPerEntry = 8,
                 kProductOverBest = 1.2;

int planes_of(TableAccuracy accuracy, std::int64_t centroids) {
  if (centroids > kernels::kMostEntries || accuracy == TableAccuracy::exact) return 0;
  return accuracy == TableAccuracy::tables8 ? 1 : 2;
}

// The least number of rows for which decoding is faster, to integers if they are given.
std::int64_t measured_switch(const PackedWeight& weight, const IntegerWeight* integers, std::int64_t entries,
                             int planes) {
  const auto columns = static_cast<double>(weight.columns),
             codes = static_cast<double>(weight.outputs) * columns;
  const auto d = static_cast<double>(weight.d);
  const double lookup = planes == 0 ? kFloatLookup : planes * kernels::lookup_cost(entries);
  const double tables =
      columns * static_cast<double>(entries) * (d + (planes == 0 ? 0 : kConversionPerEntry)) + codes * lookup;
  const double bytes = weight.d % 4 == 0 ? kernels::centroid_bytes_cost(weight.d) : kBytesPerCode;
  const double decode = integers != nullptr ? (integers->has_tiles() ? 0 : bytes) : kDecodePerCode,
               product = integers != nullptr ? kernels::integer_cost(integers->range) : kProductOverBest;
  const std::int64_t line = integers != nullptr ? 1 : 16;
  for (std::int64_t rows = 1; rows <= 4096; ++rows) {
    const std::int64_t whole = (rows + line - 1) / line * line;
    const auto padded = static_cast<double>(whole);
    if (codes * (decode + product * padded * d) < static_cast<double>(rows) * tables) return rows;
  }
  return kNever;
}

}  // namespace

struct PackedLinear::Data {
  Data(const QuantizedTensor& tensor, std::span<const float> bias_, const PackedLinearOptions& options)
      : weight(tensor), bias(bias_.begin(), bias_.end()) {
    if (options.tiles != TileProduct::floats && IntegerWeight::fits(weight)) {
      integers = std::make_unique<IntegerWeight>(weight, options.tiles);
      if (keeps_tiles(options.keep_tiles, weight.codebook.get(), weight.row_bits)) {
        integers->keep_tiles(weight);
        weight.row_codes = {};
      }
    }
    // Codes that have been copied need no pages of the file any more.
    if (!weight.row_codes.mapped()) forget_mapped_pages(tensor.packed.data(), tensor.packed.size());
    if (!weight.codebook) {
      switch_batch = 0;
      return;
    }
    codebook = std::make_unique<TableCodebook>(*weight.codebook);
    planes = planes_of(options.accuracy, weight.codebook->centroids.rows());
    switch_batch = options.switch_batch > 0
                       ? options.switch_batch
                       : measured_switch(weight, integers.get(), codebook->entries, planes);
  }

  void scan(const TableSet::Data& tables, MatrixView<float> y, const Context& context) const;
  void sum_row(const TableSet::Data& tables, std::int64_t row, std::int64_t tile, float* sums) const;
  // Bytes of the tables of a row of x, and the rows whose tables are made at once.
  std::int64_t table_bytes() const { return weight.columns * codebook->entries * (planes == 0 ? 4 : planes); }
  std::int64_t tables_together(std::int64_t rows) const {
    return std::min(rows, std::clamp<std::int64_t>(kTableBytes / table_bytes(), 1, 8));
  }

  PackedWeight weight;
  std::vector<float> bias;
  std::unique_ptr<TableCodebook> codebook;  // null for integers
  std::unique_ptr<IntegerWeight> integers;  // null where tiles are of floats
  int planes = 1;
  std::int64_t switch_batch = kNever;
};

// Sums of the outputs of a tile, before scale and bias.
void PackedLinear::Data::sum_row(const TableSet::Data& tables, std::int64_t row, std::int64_t tile,
                                 float* sums) const {
  const RowTables& made = tables.rows[row];
  const std::int64_t columns = weight.columns, first = tile * kTileOutputs;
  const std::int64_t groups =
      (std::min(kTileOutputs, weight.outputs - first) + kernels::kLookupGroup - 1) / kernels::kLookupGroup;
  std::fill_n(sums, kTileOutputs, made.offset);
  if (tables.planes != 0) {
    for (const TableRun& run : made.runs) {
      kernels::add_lookups(tables.bytes(row), weight.bytes.data() + first * columns, groups,
                           made.order.data() + run.begin, run.count, run.step, sums);
    }
    return;
  }
  const std::int64_t width = groups * kernels::kLookupGroup;
  for (std::int64_t c = 0; c < columns; c += kFloatColumns) {
    const float* from = tables.floats(row) + c * tables.entries;
    const std::int64_t some = std::min(kFloatColumns, columns - c), at = first * columns + c * width;
    if (weight.words.size() == 0) {
      kernels::add_float_lookups(from, tables.entries, weight.bytes.data() + at, groups, some, sums);
    } else {
      kernels::add_float_lookups(from, tables.entries, weight.words.data() + at, groups, some, sums);
    }
  }
}

void PackedLinear::Data::scan(const TableSet::Data& tables, MatrixView<float> y,
                              const Context& context) const {
  context.for_blocks(weight.outputs, kTileOutputs, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) float sums[kTileOutputs];
    for (std::int64_t r = 0; r < y.rows; ++r) {
      float* to = y.row_data(r);
      if (!tables.rows[r].finite) {
        std::fill(to + begin, to + end, std::numeric_limits<float>::quiet_NaN());
        continue;
      }
      sum_row(tables, r, begin / kTileOutputs, sums);
      for (std::int64_t o = begin; o < end; ++o) {
        const float value = weight.scale.empty() ? sums[o - begin] : weight.scale[o] * sums[o - begin];
        to[o] = bias.empty() ? value : value + bias[o];
      }
    }
  });
}

PackedLinear::PackedLinear(const QuantizedTensor& weight, std::span<const float> bias,
                           const PackedLinearOptions& options) {
  validate_fields(options);
  data_ = std::make_shared<const Data>(weight, bias, options);
  if (!bias.empty() && static_cast<std::int64_t>(bias.size()) != outputs()) {
    refuse(fmt::format("bias: has {} for {}; must have as many", count_of(bias.size(), "value"),
                       count_of(outputs(), "output")));
  }
}

std::int64_t PackedLinear::inputs() const {
  return data_->weight.inputs;
}
std::int64_t PackedLinear::outputs() const {
  return data_->weight.outputs;
}
std::int64_t PackedLinear::switch_batch() const {
  return data_->switch_batch;
}

std::int64_t PackedLinear::bytes() const {
  return data_->weight.memory() + static_cast<std::int64_t>(data_->bias.size()) * 4 +
         (data_->codebook ? data_->codebook->transposed.size() * 4 : 0) +
         (data_->integers ? data_->integers->memory() : 0);
}

std::int64_t PackedLinear::product_bytes(std::int64_t rows, int threads) const {
  const PackedWeight& weight = data_->weight;
  if (rows >= data_->switch_batch) {
    return data_->integers ? integers_memory(weight, *data_->integers, rows, threads)
                           : decoded_memory(weight, rows, threads);
  }
  return data_->tables_together(rows) * data_->table_bytes() + 4 * weight.values() + 12 * weight.columns;
}

bool PackedLinear::integer_tiles() const {
  return data_->integers != nullptr;
}

namespace {

void check_shapes(std::string_view name, std::int64_t rows, std::int64_t cols, std::int64_t right_rows,
                  std::int64_t right_cols) {
  if (rows == right_rows && cols == right_cols) return;
  refuse(fmt::format("{}: is {} × {}; must be {} × {}", name, rows, cols, right_rows, right_cols));
}

}  // namespace

void PackedLinear::multiply(MatrixView<const float> x, MatrixView<float> y, const Context& context) const {
  check_shapes("x", x.rows, x.cols, x.rows, inputs());
  check_shapes("y", y.rows, y.cols, x.rows, outputs());
  if (x.rows == 0) return;
  if (x.rows >= data_->switch_batch) {
    if (data_->integers) {
      multiply_integers(data_->weight, *data_->integers, data_->bias, x, y, context);
    } else {
      multiply_decoded(data_->weight, data_->bias, x, y, context);
    }
    return;
  }
  const std::int64_t together = data_->tables_together(x.rows);
  TableSet::Data tables;
  for (std::int64_t r = 0; r < x.rows; r += together) {
    const std::int64_t some = std::min(together, x.rows - r);
    tables.build(data_->weight, *data_->codebook, data_->planes, {x.row_data(r), some, x.cols, x.stride},
                 context);
    data_->scan(tables, {y.row_data(r), some, y.cols, y.stride}, context);
  }
}

TableSet PackedLinear::tables(MatrixView<const float> x, const Context& context) const {
  check_shapes("x", x.rows, x.cols, x.rows, inputs());
  if (!data_->codebook) {
    refuse("packed weight: has integer codes; only products have tables");
  }
  auto made = std::make_shared<TableSet::Data>();
  made->build(data_->weight, *data_->codebook, data_->planes, x, context);
  TableSet set;
  set.data_ = std::move(made);
  return set;
}

void PackedLinear::multiply(const TableSet& tables, MatrixView<float> y, const Context& context) const {
  check_shapes("y", y.rows, y.cols, tables.rows(), outputs());
  if (tables.rows() == 0) return;
  const TableSet::Data& made = *tables.data_;
  const PackedWeight& weight = data_->weight;
  if (made.codebook != weight.codebook || made.columns != weight.columns || made.places != weight.places ||
      made.planes != data_->planes) {
    refuse(
        fmt::format("tables: are of {} with {} in {}; must be made with the codebook, the inputs and the "
                    "accuracy of this layer ({}, {})",
                    count_of(made.columns, "column"), count_of(made.entries, "entry", "entries"),
                    count_of(made.planes, "plane"), count_of(weight.columns, "column"),
                    count_of(data_->planes, "plane")));
  }
  data_->scan(made, y, context);
}

}  // namespace parsimony::quant
