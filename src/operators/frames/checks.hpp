// The checks of operators and signals that every function on them begins with.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// The first row with a value that is NaN or infinite, or −1.
template <class T>
std::int64_t row_not_finite(MatrixView<const T> matrix) {
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    for (const T value : matrix.row(i)) {
      if (!std::isfinite(value)) return i;
    }
  }
  return -1;
}

/// Throws invalid_argument, naming the row, for a value that is not finite. name begins the message.
template <class T>
void check_finite(MatrixView<const T> matrix, std::string_view name) {
  const std::int64_t row = row_not_finite(matrix);
  if (row >= 0) refuse(fmt::format("{}: row {} has a value that is not finite", name, row));
}

/// Throws invalid_argument for no signals or a value that is not finite.
inline void check_signals(MatrixView<const float> signals) {
  if (signals.rows < 1 || signals.cols < 1) {
    refuse(fmt::format("signals: {} × {}; must have at least one of each", signals.rows, signals.cols));
  }
  check_finite(signals, "signals");
}

}  // namespace parsimony::operators
