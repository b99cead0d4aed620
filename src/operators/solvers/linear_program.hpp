// Linear programs in equality form, by COIN-OR CLP where the build has it.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"

namespace parsimony::operators {

/// Minimise cost · x subject to Σ_j column_j x_j = right and lower ≤ x ≤ upper.
class LinearProgram {
 public:
  explicit LinearProgram(std::int64_t rows) : right(static_cast<std::size_t>(rows)) {}

  /// Starts a column; add() puts values into it.
  void column(double cost, double lower, double upper);
  void add(std::int64_t row, double value);
  std::int64_t columns() const { return static_cast<std::int64_t>(costs.size()); }

  std::vector<double> right;
  std::vector<int> starts{0}, indices;
  std::vector<double> values, costs, lowers, uppers;
};

struct LinearSolution {
  bool optimal = false;
  double objective = 0;
  std::int64_t iterations = 0;
  std::vector<double> primal;  // a value for each column
  std::vector<double> dual;    // a value for each row
};

/// Whether the build has a solver.
bool solves_linear_programs();

/// Tolerances 1e-9 of feasibility, primal and dual. Throws unsupported without a solver, invalid_argument
/// where there are more than 2³¹ values, cancelled.
LinearSolution solve(const LinearProgram& program, const Context& context);

}  // namespace parsimony::operators
