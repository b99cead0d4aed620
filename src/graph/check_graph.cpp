// Implements check_graph() of parsimony/graph/graph.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

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

// The fault of one row by itself; empty when it is sound.
std::string fault_of_row(CsrView a, std::int64_t row) {
  for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
    const std::int64_t column = a.columns[e];
    if (column < 0 || column >= a.rows()) {
      return fmt::format("row {} has column {}; must be 0 to {}", row, column, a.rows() - 1);
    }
    if (e > a.offsets[row] && column <= a.columns[e - 1]) {
      return fmt::format(
          "row {} has column {} after {}; columns must ascend, each once; make_graph sorts them", row, column,
          a.columns[e - 1]);
    }
    if (column == row) return fmt::format("row {} has a self loop; make_graph leaves self loops out", row);
    const float weight = weight_at(a, e);
    if (!(weight > 0) || !std::isfinite(weight)) {
      return fmt::format("entry ({}, {}) is {}; weights must be positive and finite", row, column, weight);
    }
  }
  return "";
}

// The tests of fault_of_row, without a message. The row's share of the fingerprint goes to `sum`: entries
// above the diagonal count positive, those below negative, so that mirrored entries cancel.
bool sound(CsrView a, std::int64_t row, std::uint64_t& sum) {
  std::int64_t before = -1;
  for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
    const std::int64_t column = a.columns[e];
    const float weight = weight_at(a, e);
    if (column <= before || column >= a.rows() || column == row) return false;
    if (!(weight > 0) || !std::isfinite(weight)) return false;
    before = column;
    sum += row < column ? fingerprint(row, column, weight) : 0 - fingerprint(column, row, weight);
  }
  return true;
}

[[noreturn]] void refuse_graph(const std::string& fault) {
  refuse("graph: " + fault);
}

void check_shape(CsrView a) {
  const std::int64_t rows = a.rows(), entries = a.entries();
  if (a.offsets.empty()) refuse_graph("no offsets; a graph of N nodes has N + 1");
  if (rows > std::numeric_limits<std::int32_t>::max()) {
    refuse_graph(fmt::format("{} nodes are too many; at most 2147483647 fit", rows));
  }
  if (a.weighted() && std::ssize(a.values) != entries) {
    refuse_graph(fmt::format("{} values for {} columns; give one each, or none", a.values.size(), entries));
  }
  if (a.offsets.front() != 0 || a.offsets.back() != entries) {
    refuse_graph(fmt::format("offsets go from {} to {}; must go from 0 to the {} columns", a.offsets.front(),
                             a.offsets.back(), entries));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    if (a.offsets[row + 1] < a.offsets[row]) {
      refuse_graph(fmt::format("row {} ends at offset {}, before it begins at {}", row, a.offsets[row + 1],
                               a.offsets[row]));
    }
  }
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

CsrView check_graph(CsrView adjacency, const Context& context) {
  if (adjacency.checked) return adjacency;
  check_shape(adjacency);
  std::atomic<std::uint64_t> total = 0;  // modulo 2^64, so that the order of the blocks does not matter
  std::atomic<std::int64_t> bad = adjacency.rows();
  context.for_blocks(adjacency.rows(), kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    std::uint64_t sum = 0;
    for (std::int64_t row = begin; row < end; ++row) {
      if (sound(adjacency, row, sum)) continue;
      std::int64_t first = bad;
      while (row < first && !bad.compare_exchange_weak(first, row)) {
      }
      return;
    }
    total += sum;
  });
  if (bad < adjacency.rows()) refuse_graph(fault_of_row(adjacency, bad));
  if (total != 0) refuse_asymmetric(adjacency);
  adjacency.checked = true;
  return adjacency;
}

}  // namespace parsimony::graph
