// What learners and denoisers refuse of signals.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// Throws invalid_argument, naming the row, for no signals or a value that is not finite.
inline void check_signals(MatrixView<const float> signals) {
  if (signals.rows < 1 || signals.cols < 1) {
    refuse(fmt::format("signals: {} × {}; must have at least one of each", signals.rows, signals.cols));
  }
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (const float value : signals.row(s)) {
      if (!std::isfinite(value)) {
        refuse(fmt::format("signals: row {} has a value that is not finite", s));
      }
    }
  }
}

}  // namespace parsimony::operators
