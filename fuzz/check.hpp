// Checks that must hold for any input: a reader returns a sound value or throws parsimony::Error. Anything
// else is a finding.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "graph/file/formats.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::fuzz {

constexpr std::int64_t kMemory = 64 << 20;  // bytes a reader may use

inline Context limited_context() {
  Context context(1);
  context.memory.bytes = memory_in_use() + kMemory;
  return context;
}

inline std::string as_string(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "broken: " << what << '\n';
  std::abort();
}

/// body() may throw Error, but not the kind that reports a broken promise of the library.
template <class Body>
void value_or_error(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    check(error.code() != ErrorCode::internal, error.what());
  }
}

inline void check_graph(const graph::GraphFile& file) {
  const Csr& a = file.graph.adjacency;
  check(!a.offsets.empty() && a.offsets.front() == 0 && a.offsets.back() == a.entries(),
        "offsets span the entries");
  check(a.values.empty() || a.values.size() == a.columns.size(), "one value an entry");
  check(file.ids.size() == a.rows(), "one id a node");
  const auto find = [&](std::int64_t row, std::int64_t column) {
    for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
      if (a.columns[e] == column) return e;
    }
    return std::int64_t{-1};
  };
  const bool small = a.entries() <= 4096;  // the search for mirrors is quadratic
  for (std::int64_t row = 0; row < a.rows(); ++row) {
    check(a.offsets[row] <= a.offsets[row + 1], "offsets rise");
    for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
      check(a.columns[e] >= 0 && a.columns[e] < a.rows(), "columns are nodes");
      check(a.columns[e] != row, "no loops");
      check(e == a.offsets[row] || a.columns[e - 1] < a.columns[e], "columns ascend");
      check(a.values.empty() || (a.values[e] > 0 && std::isfinite(a.values[e])),
            "weights are positive and finite");
      if (!small) continue;
      const std::int64_t mirror = find(a.columns[e], row);
      check(mirror >= 0, "every edge has both directions");
      check(a.values.empty() || a.values[mirror] == a.values[e], "both directions weigh the same");
    }
  }
}

/// The input as a graph file, taken as it is and symmetrised.
inline void check_reader(const std::uint8_t* data, std::size_t size, graph::FileFormat format) {
  for (const bool symmetrize : {false, true}) {
    const graph::ReadOptions options{.format = format, .symmetrize = symmetrize};
    value_or_error(
        [&] { check_graph(graph::parse_graph(as_string(data, size), "input", options, limited_context())); });
  }
}

}  // namespace parsimony::fuzz
