// The result that every learner of analysis operators returns.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::operators {

struct LearnedOperator {
  Matrix<double> analysis_operator;  ///< Ω, a × n, a row for each of its a rows
  Matrix<float> signals;  ///< the denoised signals, samples × n, where the learner is noise-aware; else empty
  std::int64_t samples = 0;  ///< signals learned from
  double objective = 0;      ///< the value that the learner minimised, at the operator returned
  Report report;
};

}  // namespace parsimony::operators
