#include "operators/solvers/linear_program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parsimony/core/error.hpp"

#ifdef PARSIMONY_HAVE_CLP
#include <ClpEventHandler.hpp>
#include <ClpSimplex.hpp>
#include <ClpSolve.hpp>
#include <CoinPackedMatrix.hpp>
#endif

namespace parsimony::operators {

void LinearProgram::column(double cost, double lower, double upper) {
  starts.push_back(starts.back());
  costs.push_back(cost);
  lowers.push_back(lower);
  uppers.push_back(upper);
}

void LinearProgram::add(std::int64_t row, double value) {
  if (value == 0) return;
  if (indices.size() >= static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    refuse("exact test: the linear program has more than 2^31 values");
  }
  indices.push_back(static_cast<int>(row));
  values.push_back(value);
  ++starts.back();
}

#ifdef PARSIMONY_HAVE_CLP
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
  explicit StopWhenCancelled(const Context& context) : context_(context) {}
  int event(Event) override { return context_.stop.stop_requested() ? 0 : -1; }
  ClpEventHandler* clone() const override { return new StopWhenCancelled(context_); }

 private:
  const Context& context_;
};

}  // namespace

bool solves_linear_programs() {
  return true;
}

LinearSolution solve(const LinearProgram& program, const Context& context) {
  context.check_cancelled();
  ClpSimplex model;
  model.setLogLevel(0);
  StopWhenCancelled handler(context);
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
      !context.stop.stop_requested()) {
    model.primal();
  }
  context.check_cancelled();
  LinearSolution out;
  out.optimal = model.status() == 0 && largest_residual(program, model.primalColumnSolution()) <= kResidual;
  out.objective = model.objectiveValue();
  out.iterations = model.numberIterations();
  out.primal.assign(model.primalColumnSolution(), model.primalColumnSolution() + columns);
  out.dual.assign(model.dualRowSolution(), model.dualRowSolution() + rows);
  return out;
}
#else
bool solves_linear_programs() {
  return false;
}

LinearSolution solve(const LinearProgram&, const Context&) {
  throw Error(ErrorCode::unsupported,
              "the exact test needs a linear program, and this build has no solver; build it where COIN-OR "
              "CLP is found "
              "(Debian and Ubuntu: coinor-libclp-dev)");
}
#endif

}  // namespace parsimony::operators
