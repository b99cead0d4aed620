#include "parsimony/operators/douglas_rachford.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/count_of.hpp"
#include "operators/frames/checks.hpp"
#include "operators/solvers/splitting.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::operators {
namespace {

constexpr int kIterationsPerCheck = 10;

struct BlockResult {
  double objective = 0, gap = 0;
  int iterations = 0;
  bool converged = false;
};

}  // namespace

CosparseSignals douglas_rachford(MatrixView<const double> omega, MatrixView<const float> noisy,
                                 const DouglasRachfordOptions& options, const Context& context) {
  validate_fields(options);
  check_signals(noisy);
  if (omega.rows < 1 || omega.cols != noisy.cols) {
    refuse(fmt::format("operator: {} × {}; the signals have {}", omega.rows, omega.cols,
                       count_of(noisy.cols, "value")));
  }
  check_finite(omega, "operator");
  CosparseSignals out;
  out.report = make_report("Douglas-Rachford splitting", context, 0);
  const Splitting<double> shared(omega, options.lambda, options.gamma);
  DouglasRachfordOptions used = options;
  used.gamma = shared.gamma();
  record_options(out.report, used);

  StageTimer timer(out.report, "splitting");
  out.signals = Matrix<float>(noisy.rows, noisy.cols);
  std::vector<BlockResult> results((noisy.rows + kSignalsPerSplitting - 1) / kSignalsPerSplitting);
  context.for_blocks(noisy.rows, kSignalsPerSplitting, [&](std::int64_t begin, std::int64_t end) {
    Splitting<double> splitting = shared;  // has its own work space
    Matrix<double> y(splitting.padded_cols(), kSignalsPerSplitting),
        x(splitting.padded_cols(), kSignalsPerSplitting);
    Matrix<double> b(splitting.padded_rows(), kSignalsPerSplitting);
    for (std::int64_t s = begin; s < end; ++s) {
      for (std::int64_t c = 0; c < noisy.cols; ++c) y(c, s - begin) = noisy(s, c);
    }
    Matrix<double> iterate = y;
    BlockResult& result = results[begin / kSignalsPerSplitting];
    while (!result.converged && result.iterations < options.max_iterations) {
      context.check_cancelled();
      const int some = std::min(kIterationsPerCheck, options.max_iterations - result.iterations);
      splitting.iterate(y.data(), b.data(), iterate.data(), some);
      result.iterations += some;
      const auto reached = splitting.finish(y.data(), b.data(), x.data());
      result.objective = reached.objective;
      result.gap = reached.gap;
      result.converged = reached.gap <= options.tolerance * reached.objective;
    }
    for (std::int64_t s = begin; s < end; ++s) {
      for (std::int64_t c = 0; c < noisy.cols; ++c) out.signals(s, c) = static_cast<float>(x(c, s - begin));
    }
  });
  double gap = 0, iterations = 0;
  for (const BlockResult& result : results) {
    out.objective += result.objective;
    gap += result.gap;
    iterations += result.iterations;
    out.report.iterations = std::max<std::int64_t>(out.report.iterations, result.iterations);
    if (!result.converged) out.report.status = Status::iteration_limit;
  }
  out.lower_bound = out.objective - gap;
  out.report.objective_history = {out.objective};
  out.report.figures.emplace_back("relative_gap", out.objective > 0 ? gap / out.objective : 0.0);
  out.report.figures.emplace_back("mean_iterations", iterations / static_cast<double>(results.size()));
  return out;
}

}  // namespace parsimony::operators
