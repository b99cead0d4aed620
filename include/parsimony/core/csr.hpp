// Sparse matrices in compressed sparse row (CSR) form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony {

/// Row r has the columns columns[offsets[r] .. offsets[r + 1]), ascending, and the values at the same places.
/// Without values every stored entry is 1, which halves the memory traffic.
struct CsrView {
  std::span<const std::int64_t> offsets;  ///< rows + 1 offsets, from 0 to the number of entries
  std::span<const std::int32_t> columns;
  std::span<const float> values;  ///< empty if all entries are 1
  /// Set by graph::check_graph: the matrix is known to be a sound graph, so that functions that receive this
  /// view do not check it again. It says nothing about changes made to the arrays afterwards.
  bool checked = false;

  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t entries() const { return static_cast<std::int64_t>(columns.size()); }
  bool weighted() const { return !values.empty(); }
};

/// An owning CSR matrix.
struct Csr {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> values;

  operator CsrView() const { return {offsets, columns, values}; }
  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t entries() const { return static_cast<std::int64_t>(columns.size()); }
};

}  // namespace parsimony
