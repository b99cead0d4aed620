// Lloyd's iterations from given centroids, with exact bounds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony {

struct LloydProblem {
  MatrixView<const float> points;
  std::span<const float> weights;  ///< empty: all ones
  std::span<const float> shift;    ///< subtracted from every point; centroids below are relative to it
  int max_iterations = 100;
  double tolerance = 1e-4;
  bool bounds = true;  ///< false: every point against every centroid; the result is the same, bit by bit
};

struct LloydResult {
  Matrix<float> centroids;
  std::vector<std::int32_t> labels;
  std::vector<double> history;  ///< the objective after every assignment
  std::int64_t iterations = 0;
  std::int64_t evaluated = 0;  ///< comparisons of a point with a centroid, over all assignments
  bool converged = false;
};

LloydResult lloyd(const LloydProblem& problem, Matrix<float> centroids, const Context& context);

/// ‖c‖²/2 of every row.
std::vector<float> half_norms(MatrixView<const float> centroids);

}  // namespace parsimony
