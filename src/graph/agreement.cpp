// Implements agreement() of parsimony/graph/scores.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::graph {
namespace {

__extension__ using Wide = __int128;  // products of two numbers of pairs

// Labels replaced by 0..classes−1, in the order of the labels.
struct Classes {
  std::vector<std::int32_t> of;
  std::vector<std::int64_t> sizes;
};

Classes classes(std::span<const std::int32_t> labels) {
  std::vector<std::int32_t> values(labels.begin(), labels.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  Classes out;
  out.of.resize(labels.size());
  out.sizes.resize(values.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out.of[i] =
        static_cast<std::int32_t>(std::lower_bound(values.begin(), values.end(), labels[i]) - values.begin());
    ++out.sizes[out.of[i]];
  }
  return out;
}

struct Cell {
  std::int32_t row, column;
  std::int64_t count;
};

// The non-zero cells of the contingency table, by rows: a counting sort of the items, then a count per row.
std::vector<Cell> contingency(const Classes& rows, const Classes& columns) {
  std::vector<std::int64_t> next(rows.sizes.size() + 1);
  for (std::size_t r = 0; r < rows.sizes.size(); ++r) next[r + 1] = next[r] + rows.sizes[r];
  std::vector<std::int32_t> by_row(rows.of.size());
  for (std::size_t i = 0; i < rows.of.size(); ++i) by_row[next[rows.of[i]]++] = columns.of[i];
  std::vector<std::int64_t> count(columns.sizes.size());
  std::vector<std::int32_t> touched;
  std::vector<Cell> cells;
  std::size_t at = 0;
  for (std::size_t r = 0; r < rows.sizes.size(); ++r) {
    touched.clear();
    for (std::int64_t s = 0; s < rows.sizes[r]; ++s) {
      const std::int32_t column = by_row[at++];
      if (count[column]++ == 0) touched.push_back(column);
    }
    for (const std::int32_t column : touched) {
      cells.push_back({static_cast<std::int32_t>(r), column, std::exchange(count[column], 0)});
    }
  }
  return cells;
}

std::int64_t pairs(std::int64_t count) {
  return count * (count - 1) / 2;
}

std::int64_t pairs(const std::vector<std::int64_t>& sizes) {
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) sum += pairs(size);
  return sum;
}

// (index − expected) / (mean of the two maxima − expected), in whole numbers up to the last division.
double adjusted_rand(const std::vector<Cell>& cells, const Classes& rows, const Classes& columns) {
  Wide together = 0;
  for (const Cell& cell : cells) together += pairs(cell.count);
  const Wide of_rows = pairs(rows.sizes), of_columns = pairs(columns.sizes);
  const Wide all = pairs(std::ssize(rows.of));
  const Wide above = 2 * (all * together - of_rows * of_columns);
  const Wide below = all * (of_rows + of_columns) - 2 * of_rows * of_columns;
  return static_cast<double>(above) / static_cast<double>(below);
}

double entropy(const std::vector<std::int64_t>& sizes, double items) {
  double sum = 0;
  for (const std::int64_t size : sizes) {
    const double share = static_cast<double>(size) / items;
    sum -= share * std::log(share);
  }
  return sum;
}

double mutual_information(const std::vector<Cell>& cells, const Classes& rows, const Classes& columns,
                          double items) {
  double sum = 0;
  for (const Cell& cell : cells) {
    const auto count = static_cast<double>(cell.count);
    const double product =
        static_cast<double>(rows.sizes[cell.row]) * static_cast<double>(columns.sizes[cell.column]);
    sum += count / items * std::log(items * count / product);
  }
  return std::max(0.0, sum);
}

// The mean contribution to the mutual information of a cell of classes of a and b items, when labels are
// permuted at random: Σ_m P(m) m/n log(n m / (a b)) over the hypergeometric law P. P is computed from its
// mode outwards, by the ratio of neighbouring values, to where it has fallen by 10⁻²⁰, and normalised by its
// own sum. This avoids factorials and the cancellation of large logarithms.
double expected_cell(std::int64_t a, std::int64_t b, std::int64_t items) {
  const auto n = static_cast<double>(items);
  const std::int64_t low = std::max<std::int64_t>(0, a + b - items), high = std::min(a, b);
  const double guess = (static_cast<double>(a) + 1) * (static_cast<double>(b) + 1) / (n + 2);
  const std::int64_t mode = std::clamp(static_cast<std::int64_t>(guess), low, high);
  const double scale = n / (static_cast<double>(a) * static_cast<double>(b));
  constexpr double kNegligible = 1e-20;
  double mass = 0, sum = 0;
  const auto add = [&](std::int64_t m, double p) {
    mass += p;
    if (m > 0) sum += p * static_cast<double>(m) / n * std::log(static_cast<double>(m) * scale);
  };
  // P(m + 1) / P(m)
  const auto ratio = [&](std::int64_t m) {
    return static_cast<double>(a - m) / static_cast<double>(m + 1) * static_cast<double>(b - m) /
           static_cast<double>(items - a - b + m + 1);
  };
  double p = 1;
  add(mode, p);
  for (std::int64_t m = mode; m < high && p > kNegligible; ++m) add(m + 1, p *= ratio(m));
  p = 1;
  for (std::int64_t m = mode; m > low && p > kNegligible; --m) add(m - 1, p /= ratio(m - 1));
  return sum / mass;
}

// Over the distinct sizes of classes only.
double expected_mutual_information(const Classes& rows, const Classes& columns) {
  std::map<std::int64_t, std::int64_t> row_sizes, column_sizes;
  for (const std::int64_t size : rows.sizes) ++row_sizes[size];
  for (const std::int64_t size : columns.sizes) ++column_sizes[size];
  double sum = 0;
  for (const auto& [a, times_a] : row_sizes) {
    for (const auto& [b, times_b] : column_sizes) {
      sum += static_cast<double>(times_a) * static_cast<double>(times_b) *
             expected_cell(a, b, std::ssize(rows.of));
    }
  }
  return sum;
}

}  // namespace

Agreement agreement(std::span<const std::int32_t> labels, std::span<const std::int32_t> truth) {
  if (labels.size() != truth.size()) {
    refuse(fmt::format("labels: {} against a truth of {}; both must be of the same items", labels.size(),
                       truth.size()));
  }
  const Classes rows = classes(labels), columns = classes(truth);
  const std::vector<Cell> cells = contingency(rows, columns);
  if (cells.size() == rows.sizes.size() && cells.size() == columns.sizes.size())
    return {1, 1, 1};  // the same
  const auto items = static_cast<double>(labels.size());
  const double information = mutual_information(cells, rows, columns, items);
  const double mean_entropy = (entropy(rows.sizes, items) + entropy(columns.sizes, items)) / 2;
  const double expected = expected_mutual_information(rows, columns);
  Agreement out;
  out.adjusted_rand = adjusted_rand(cells, rows, columns);
  out.normalized_mutual_information = information / mean_entropy;
  // One class or singletons against several classes: no agreement is possible, by chance or not.
  const bool trivial = rows.sizes.size() == 1 || columns.sizes.size() == 1 ||
                       rows.sizes.size() == labels.size() || columns.sizes.size() == labels.size();
  if (!trivial) out.adjusted_mutual_information = (information - expected) / (mean_entropy - expected);
  return out;
}

}  // namespace parsimony::graph
