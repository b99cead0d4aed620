// The module that linear_program.cpp loads; see clp_solver.hpp.
#include "operators/solvers/clp/clp_solver.hpp"

#include <ClpEventHandler.hpp>
#include <ClpSimplex.hpp>
#include <ClpSolve.hpp>
#include <CoinPackedMatrix.hpp>
#include <algorithm>
#include <cmath>

namespace parsimony::operators {
namespace {

constexpr double kResidual = 1e-6;  // residual above which an answer is rejected, whatever its status

double largest_residual(const LinearProgram& program, const double* x) {
  std::vector<double> left = program.right;
  for (std::int64_t j = 0; j < program.columns(); ++j) {
    for (int k = program.starts[j]; k < program.starts[j + 1]; ++k)
      left[program.indices[k]] -= program.values[k] * x[j];
  }
  double out = 0;
  for (const double value : left) out = std::max(out, std::abs(value));
  return out;
}

class StopWhenCancelled : public ClpEventHandler {
 public:
  explicit StopWhenCancelled(const std::stop_token& stop) : stop_(stop) {}
  int event(Event) override { return stop_.stop_requested() ? 0 : -1; }
  ClpEventHandler* clone() const override { return new StopWhenCancelled(stop_); }

 private:
  const std::stop_token& stop_;
};

}  // namespace

extern "C" void parsimony_solve_by_clp(const LinearProgram& program, const std::stop_token& stop,
                                       LinearSolution& out) {
  ClpSimplex model;
  model.setLogLevel(0);
  StopWhenCancelled handler(stop);
  model.passInEventHandler(&handler);
  model.setPrimalTolerance(1e-9);
  model.setDualTolerance(1e-9);
  const int rows = static_cast<int>(program.right.size()), columns = static_cast<int>(program.columns());
  model.loadProblem(columns, rows, program.starts.data(), program.indices.data(), program.values.data(),
                    program.lowers.data(), program.uppers.data(), program.costs.data(), program.right.data(),
                    program.right.data());
  // Interior point with crossover to a vertex: the simplex methods take ten times as long here.
  ClpSolve how;
  how.setSolveType(ClpSolve::useBarrier);
  how.setPresolveType(ClpSolve::presolveOff);
  model.initialSolve(how);
  if ((model.status() != 0 || largest_residual(program, model.primalColumnSolution()) > kResidual) &&
      !stop.stop_requested()) {
    model.primal();
  }
  out.optimal = model.status() == 0 && largest_residual(program, model.primalColumnSolution()) <= kResidual;
  out.objective = model.objectiveValue();
  out.iterations = model.numberIterations();
  out.primal.assign(model.primalColumnSolution(), model.primalColumnSolution() + columns);
  out.dual.assign(model.dualRowSolution(), model.dualRowSolution() + rows);
}

}  // namespace parsimony::operators
