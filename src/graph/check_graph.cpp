// Implements check_graph() of parsimony/graph/graph.hpp and check_shape() of graph/assemble.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "core/count_of.hpp"
#include "graph/assemble.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kRowsPerBlock = 1 << 12;

// The finaliser of SplitMix64: every bit of the result depends on every bit of x.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t fingerprint(std::int64_t low, std::int64_t high, float weight) {
  const std::uint64_t pair = static_cast<std::uint64_t>(low) << 32 | static_cast<std::uint64_t>(high);
  return mix(mix(pair + 0x9e3779b97f4a7c15u) + std::bit_cast<std::uint32_t>(weight));
}

float weight_at(CsrView a, std::int64_t entry) {
  return a.weighted() ? a.values[entry] : 1.0f;
}

// The faults that an entry can have by itself.
enum class Fault { none, outside, order, self_loop, weight };

struct FaultyEntry {
  Fault fault = Fault::none;
  std::int64_t entry = 0;
};

// The first fault of one row. The share of a sound row of the fingerprint goes to `sum`: entries above the
// diagonal count positive, those below negative, so that mirrored entries cancel.
FaultyEntry first_fault(CsrView a, std::int64_t row, std::uint64_t& sum) {
  std::int64_t before = -1;
  for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
    const std::int64_t column = a.columns[e];
    const float weight = weight_at(a, e);
    if (column < 0 || column >= a.rows()) return {Fault::outside, e};
    if (column <= before) return {Fault::order, e};
    if (column == row) return {Fault::self_loop, e};
    if (!(weight > 0) || !std::isfinite(weight)) return {Fault::weight, e};
    before = column;
    sum += row < column ? fingerprint(row, column, weight) : 0 - fingerprint(column, row, weight);
  }
  return {};
}

[[noreturn]] void refuse_graph(const std::string& fault) {
  refuse("graph: " + fault);
}

[[noreturn]] void refuse_row(CsrView a, std::int64_t row) {
  std::uint64_t sum = 0;
  const auto [fault, entry] = first_fault(a, row, sum);
  const std::int32_t column = a.columns[entry];
  switch (fault) {
    case Fault::outside:
      refuse_graph(fmt::format("row {} has column {}; must be 0 to {}", row, column, a.rows() - 1));
    case Fault::order:
      refuse_graph(
          fmt::format("row {} has column {} after {}; columns must ascend, each once; make_graph sorts them",
                      row, column, a.columns[entry - 1]));
    case Fault::self_loop:
      refuse_graph(fmt::format("row {} has a self loop; make_graph leaves self loops out", row));
    case Fault::weight:
      refuse_graph(fmt::format("entry ({}, {}) is {}; weights must be positive and finite", row, column,
                               weight_at(a, entry)));
    case Fault::none:
      break;
  }
  throw Error(ErrorCode::internal, "a sound row was refused");
}

// Called when the fingerprint says that some entry has no equal mirror.
[[noreturn]] void refuse_asymmetric(CsrView a) {
  for (std::int64_t row = 0; row < a.rows(); ++row) {
    for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
      const std::int32_t column = a.columns[e];
      const auto begin = a.columns.begin() + a.offsets[column],
                 end = a.columns.begin() + a.offsets[column + 1];
      const auto found = std::lower_bound(begin, end, static_cast<std::int32_t>(row));
      const bool there = found != end && *found == row;
      const std::int64_t mirror = found - a.columns.begin();
      if (there && weight_at(a, mirror) == weight_at(a, e)) continue;
      refuse_graph(
          fmt::format("not symmetric: entry ({}, {}) is {}, entry ({}, {}) is {}; make_graph with option "
                      "symmetrize takes their mean",
                      row, column, weight_at(a, e), column, row,
                      there ? fmt::format("{}", weight_at(a, mirror)) : "missing"));
    }
  }
  refuse_graph("not symmetric");
}

}  // namespace

void check_shape(CsrView matrix) {
  const std::int64_t rows = matrix.rows(), entries = matrix.entries();
  if (matrix.offsets.empty()) refuse_graph("no offsets; a matrix of N rows has N + 1");
  if (rows > std::numeric_limits<std::int32_t>::max()) {
    refuse_graph(fmt::format("{}; must be 0 to 2147483647", count_of(rows, "node")));
  }
  if (matrix.weighted() && std::ssize(matrix.values) != entries) {
    refuse_graph(fmt::format("{} for {}; give one each, or none", count_of(matrix.values.size(), "value"),
                             count_of(entries, "column")));
  }
  // Entries before the first offset or behind the last belong to no row.
  if (matrix.offsets.front() != 0 || matrix.offsets.back() != entries) {
    refuse_graph(fmt::format("offsets go from {} to {}; must go from 0 to the {}", matrix.offsets.front(),
                             matrix.offsets.back(), count_of(entries, "column")));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    if (matrix.offsets[row + 1] < matrix.offsets[row]) {
      refuse_graph(fmt::format("row {} goes from offset {} to {}; offsets must ascend from 0 to {}", row,
                               matrix.offsets[row], matrix.offsets[row + 1], entries));
    }
  }
}

CsrView check_graph(CsrView adjacency, const Context& context) {
  if (adjacency.checked) return adjacency;
  check_shape(adjacency);
  std::atomic<std::uint64_t> total = 0;  // modulo 2^64, so that the order of the blocks does not matter
  std::atomic<std::int64_t> bad = adjacency.rows();
  context.for_blocks(adjacency.rows(), kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    std::uint64_t sum = 0;
    for (std::int64_t row = begin; row < end; ++row) {
      if (first_fault(adjacency, row, sum).fault == Fault::none) continue;
      std::int64_t first = bad;
      while (row < first && !bad.compare_exchange_weak(first, row)) {
      }
      return;
    }
    total += sum;
  });
  if (bad < adjacency.rows()) refuse_row(adjacency, bad);
  if (total != 0) refuse_asymmetric(adjacency);
  adjacency.checked = true;
  return adjacency;
}

}  // namespace parsimony::graph
