#include "quant/packed/table_set.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/table_lookup.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kColumnsPerBlock = 32;
// The least range of a table, relative to the largest possible one, that its scale follows.
constexpr double kFinest = 0x1p-10;
// Keeps 255 / range finite if x is 0.
constexpr double kLeastRange = 0x1p-100;

// The largest |x|, or a value above every finite one if some x is not finite. Compares bits as integers,
// which have the order of the magnitudes, with NaN above infinity.
float largest_magnitude(const float* x, std::int64_t count) {
  std::int32_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    most = std::max(most, std::bit_cast<std::int32_t>(x[i]) & std::numeric_limits<std::int32_t>::max());
  }
  const float largest = std::bit_cast<float>(most);
  return std::isfinite(largest) ? largest : std::numeric_limits<float>::infinity();
}

// Sorts columns by falling level and keeps the order within a level. No level is below `least`.
void sort_columns(std::span<const std::int32_t> level, int planes, RowTables& row) {
  const auto [least, most] = std::minmax_element(level.begin(), level.end());
  const std::int32_t top = *most;
  std::vector<std::int64_t> begin(top - *least + 2);
  for (const std::int32_t l : level) ++begin[top - l + 1];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  row.runs.clear();
  for (std::size_t i = 0; i + 1 < begin.size(); ++i) {
    for (std::int64_t first = begin[i]; first < begin[i + 1]; first += kernels::kMostLookups) {
      row.runs.push_back({first, std::min(kernels::kMostLookups, begin[i + 1] - first),
                          kernels::table_step(top - static_cast<std::int32_t>(i), planes)});
    }
  }
  row.order.resize(level.size());
  for (std::size_t c = 0; c < level.size(); ++c) {
    row.order[begin[top - level[c]]++] = static_cast<std::int32_t>(c);
  }
}

}  // namespace

std::int64_t table_entries(std::int64_t centroids) {
  if (centroids > kernels::kMostEntries) return (centroids + 15) / 16 * 16;
  return std::max<std::int64_t>(16, static_cast<std::int64_t>(std::bit_ceil<std::uint64_t>(centroids)));
}

TableCodebook::TableCodebook(const Codebook& codebook) {
  const Matrix<float>& centroids = codebook.centroids;
  const std::int64_t count = centroids.rows();
  entries = table_entries(count);
  transposed = Matrix<float>(centroids.cols(), entries);
  for (std::int64_t k = 0; k < entries; ++k) {
    double norm = 0;
    for (std::int64_t j = 0; j < centroids.cols(); ++j) {
      const float value = centroids(k < count ? k : 0, j);
      transposed(j, k) = value;
      norm += static_cast<double>(value) * value;
    }
    radius = std::max(radius, std::sqrt(norm));
  }
}

std::int64_t TableSet::Data::row_bytes() const {
  const std::int64_t column = planes == 0 ? entries * 4 : planes * kernels::plane_bytes(entries);
  return (columns * column + 63) / 64 * 64;
}

void TableSet::Data::reserve(std::int64_t bytes) {
  if (bytes <= capacity_) return;
  memory_.reset();
  const auto size = static_cast<std::size_t>(bytes);
  memory_ = Memory(static_cast<std::uint8_t*>(allocate_aligned(size)), ReleaseAligned{size});
  capacity_ = bytes;
}

void TableSet::Data::build(const PackedWeight& weight, const TableCodebook& tables, int planes_,
                           MatrixView<const float> x, const Context& context) {
  planes = planes_;
  entries = tables.entries;
  columns = weight.columns;
  codebook = weight.codebook;
  places = weight.places;
  rows.resize(x.rows);
  reserve(row_bytes() * x.rows);
  std::vector<float> space;
  for (std::int64_t r = 0; r < x.rows; ++r) build_row(r, weight.gather(x.row(r), space), tables, context);
}

void TableSet::Data::build_row(std::int64_t row, const float* x, const TableCodebook& tables,
                               const Context& context) {
  const kernels::TransposedCodebook view = tables.view();
  RowTables& made = rows[row];
  const double range =
      2 * tables.radius * std::sqrt(static_cast<double>(view.d)) * largest_magnitude(x, columns * view.d);
  made.finite = range <= std::numeric_limits<float>::max() / 2;
  made.offset = 0;
  if (!made.finite) return;
  std::uint8_t* to = memory_.get() + row * row_bytes();
  if (planes == 0) {
    auto* values = reinterpret_cast<float*>(to);
    context.for_blocks(columns, kColumnsPerBlock, [&](std::int64_t begin, std::int64_t end) {
      kernels::float_tables(x + begin * view.d, end - begin, view, values + begin * entries);
    });
    return;
  }
  const std::int32_t least = kernels::table_level(static_cast<float>(std::max(range * kFinest, kLeastRange)));
  low_.resize(columns);
  level_.resize(columns);
  const std::int64_t column = planes * kernels::plane_bytes(entries);
  context.for_blocks(columns, kColumnsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    kernels::quantized_tables(x + begin * view.d, end - begin, view, planes, least, to + begin * column,
                              low_.data() + begin, level_.data() + begin);
  });
  double offset = 0;
  for (const float value : low_) offset += value;
  made.offset = static_cast<float>(offset);
  sort_columns(level_, planes, made);
}

kernels::LookupTables TableSet::Data::bytes(std::int64_t row) const {
  return {memory_.get() + row * row_bytes(), entries, planes};
}

const float* TableSet::Data::floats(std::int64_t row) const {
  return reinterpret_cast<const float*>(memory_.get() + row * row_bytes());
}

std::int64_t TableSet::rows() const {
  return data_ ? static_cast<std::int64_t>(data_->rows.size()) : 0;
}
std::int64_t TableSet::bytes() const {
  return data_ ? data_->memory() : 0;
}

}  // namespace parsimony::quant
