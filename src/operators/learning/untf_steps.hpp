// Projected subgradient steps among unit-norm tight frames, for any objective.
#pragma once

#include <functional>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/operators/untf_learning.hpp"

namespace parsimony::operators {

/// The objective at an operator, and a subgradient there.
using OperatorObjective = std::function<double(MatrixView<const double> omega, Matrix<double>& gradient)>;

/// Goes from omega by the rule of the options, with `exploration` diminishing steps that begin with the
/// length `first_step`; returns the best operator met. Adds to the history and the iterations of the report,
/// sets its status, and calls progress(part of 1).
Matrix<double> descend(Matrix<double> omega, const OperatorObjective& objective,
                       const UntfLearningOptions& options, const std::function<void(double)>& progress,
                       Report& report);

}  // namespace parsimony::operators
