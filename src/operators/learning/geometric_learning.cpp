#include "parsimony/operators/geometric_learning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/count_of.hpp"
#include "operators/learning/oblique_objective.hpp"
#include "operators/learning/stochastic_descent.hpp"
#include "operators/solvers/lbfgs.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kSamplesPerSum = 4096;
constexpr double kLeastSquare = 1e-24;
constexpr std::string_view kStage = "operator learning";

[[noreturn]] void refuse_learning(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "learning an operator: " + message);
}

// The values that auto stands for.
GeometricLearningOptions resolved(GeometricLearningOptions options) {
  if (options.nu == 0) options.nu = 500;
  if (options.kappa < 0) options.kappa = 20;
  if (options.mu < 0) options.mu = 6;
  if (options.stages == 0) options.stages = 2;
  if (options.batch_size < 0) options.batch_size = 0;
  return options;
}

// The mean of ‖x‖². With zero_mean the mean of each sample is subtracted first, as no row sees it.
double mean_square(MatrixView<const float> samples, bool zero_mean, const Context& context) {
  const auto mean_of = [&](auto&& square) {
    return context.sum_blocks(samples.rows, kSamplesPerSum, [&](std::int64_t begin, std::int64_t end) {
      double sum = 0;
      for (std::int64_t s = begin; s < end; ++s) sum += square(s);
      return sum;
    }) / static_cast<double>(samples.rows);
  };
  const double whole = mean_of([&](std::int64_t s) {
    double own = 0;
    for (const float v : samples.row(s)) own += static_cast<double>(v) * v;
    if (!std::isfinite(own)) refuse_learning(fmt::format("sample {} has a value that is not finite", s));
    return own;
  });
  if (!(whole > 0)) refuse_learning("all samples are zero; there is nothing to learn from");
  if (!(whole > kLeastSquare && whole < 1 / kLeastSquare)) {
    refuse_learning(fmt::format(
        "the mean squared norm of the samples is {:.3g}; scale them, float32 holds no nu that fits", whole));
  }
  if (!zero_mean) return whole;
  const double varying = mean_of([&](std::int64_t s) {
    double mean = 0, own = 0;
    for (const float v : samples.row(s)) mean += v / static_cast<double>(samples.cols);
    for (const float v : samples.row(s)) own += (v - mean) * (v - mean);
    return own;
  });
  // Constant samples leave rounding errors here; nothing can be learned from those.
  if (!(varying > 1e-12 * whole))
    refuse_learning("all samples are constant; rows of zero mean see nothing of them");
  return varying;
}

struct Problem {
  std::int64_t rows = 0, dimension = 0;
  Matrix<double> basis;  // n × (n − 1) for zero-mean rows, else empty
  double square = 1;     // mean ‖x‖²
};

Problem make_problem(MatrixView<const float> samples, const GeometricLearningOptions& options,
                     std::int64_t rows, const Context& context) {
  if (samples.rows < 1 || samples.cols < (options.zero_mean ? 3 : 2)) {
    refuse_learning(fmt::format("{} of length {}; there must be at least 1, of length at least {}",
                                count_of(samples.rows, "sample"), samples.cols, options.zero_mean ? 3 : 2));
  }
  Problem out;
  out.rows = rows > 0 ? rows : 2 * samples.cols;
  out.dimension = samples.cols - (options.zero_mean ? 1 : 0);
  if (out.rows < out.dimension) {
    refuse_learning(fmt::format("{} cannot span {}; ask for at least {}", count_of(out.rows, "row"),
                                count_of(out.dimension, "dimension"), out.dimension));
  }
  if (options.zero_mean) out.basis = zero_mean_basis(samples.cols);
  out.square = mean_square(samples, options.zero_mean, context);
  return out;
}

// Coordinates of the rows of an operator.
std::vector<double> coordinates(MatrixView<const double> analysis, const Problem& problem) {
  const std::int64_t m = problem.dimension;
  std::vector<double> u(problem.rows * m);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    double squares = 0, whole = 0;
    for (std::int64_t t = 0; t < analysis.cols; ++t) whole += analysis(i, t) * analysis(i, t);
    for (std::int64_t t = 0; t < m; ++t) {
      double& value = u[i * m + t];
      if (problem.basis.rows()) {
        for (std::int64_t k = 0; k < analysis.cols; ++k) value += analysis(i, k) * problem.basis(k, t);
      } else {
        value = analysis(i, t);
      }
      squares += value * value;
    }
    if (!std::isfinite(whole) || !(squares > 1e-24 * whole)) {
      refuse_learning(fmt::format("row {} of the initial operator {}", i,
                                  std::isfinite(whole) ? problem.basis.rows()
                                                             ? "is constant; rows of zero mean are not"
                                                             : "is zero; its direction is not known"
                                                       : "has a value that is not finite"));
    }
    for (std::int64_t t = 0; t < m; ++t) u[i * m + t] /= std::sqrt(squares);
  }
  return u;
}

// The nearest tight frame of a Gaussian operator, with its rows normalised afterwards. A UNTF would be a
// start of equal row norms, but finding one takes longer than it saves.
std::vector<double> random_start(const Problem& problem, std::uint64_t seed) {
  Matrix<double> frame(problem.rows, problem.dimension);
  const RandomStream stream(seed, "geometric_learning.start");
  for (std::int64_t v = 0; v < frame.size(); ++v) frame.values()[v] = stream.normal(v);
  project_tight_frame(frame, seed);
  std::vector<double> u(frame.values().begin(), frame.values().end());
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    double squares = 0;
    for (const double v : frame.row(i)) squares += v * v;
    for (std::int64_t t = 0; t < problem.dimension; ++t) u[i * problem.dimension + t] /= std::sqrt(squares);
  }
  return u;
}

struct Run {
  std::vector<double> u;
  double objective = 0;
  std::string stop;
  std::int64_t iterations = 0, evaluations = 0;
  std::vector<double> history;
};

Run descend(std::vector<double> start, ObliqueObjective<float>& objective, const Problem& problem,
            const GeometricLearningOptions& options, const Context& context) {
  Run run{.u = std::move(start)};
  for (int stage = 1; stage <= options.stages; ++stage) {
    const double left =
        options.stages > 1 ? static_cast<double>(options.stages - stage) / (options.stages - 1) : 0;
    objective.weights = {.nu = options.nu * std::pow(options.first_nu / options.nu, left) / problem.square,
                         .kappa = options.kappa,
                         .mu = options.mu};
    const Context part = context.part(kStage, stage - 1, options.stages);
    if (options.batch_size > 0 && options.batch_size < objective.samples.rows) {
      const std::int64_t stage_steps =
          options.batches * stage / options.stages - options.batches * (stage - 1) / options.stages;
      const StochasticOptions settings{
          .batch = options.batch_size,
          .steps = stage_steps,
          .rate = options.rate,
          .seed = RandomStream(options.seed, "geometric_learning.stage").bits(stage),
          .stage = kStage};
      const StochasticResult result = stochastic_descent(run.u, problem.rows, objective, settings, part);
      run.stop = "steps ended";
      run.iterations += stage_steps;
      run.evaluations += stage_steps;
      run.history.insert(run.history.end(), result.history.begin(), result.history.end());
      if (stage == options.stages) {
        std::vector<double> unused(run.u.size());
        run.objective = objective(run.u, unused);
        ++run.evaluations;
      }
      continue;
    }
    const LbfgsOptions settings{.memory = options.memory,
                                .max_iterations = options.max_iterations,
                                .tolerance = options.tolerance,
                                .first_step = 0.1,
                                .stage = kStage};
    const LbfgsResult result = lbfgs<double>(run.u, objective, settings, part);
    run.stop = enum_name(result.stop);
    run.iterations += result.iterations;
    run.evaluations += result.evaluations;
    run.history.insert(run.history.end(), result.history.begin(), result.history.end());
    run.objective = result.history.back();
  }
  return run;
}

}  // namespace

LearnedOperator learn_geometric(MatrixView<const float> samples, const GeometricLearningOptions& requested,
                                const Context& context) {
  validate_fields(requested);
  const GeometricLearningOptions options = resolved(requested);
  const MatrixView<const double> initial = options.initial;
  if (initial.rows && (initial.cols != samples.cols || (options.rows && initial.rows != options.rows))) {
    refuse_learning(fmt::format("the initial operator is {} x {}; must be {} x {}", initial.rows,
                                initial.cols, options.rows ? options.rows : initial.rows, samples.cols));
  }
  LearnedOperator out;
  out.report = make_report("geometric operator learning", context, options.seed);
  StageTimer check(out.report, "check");
  const Problem problem = make_problem(samples, options, initial.rows ? initial.rows : options.rows, context);
  check.finish();
  GeometricLearningOptions used = options;
  used.rows = problem.rows;
  record_options(out.report, used);

  StageTimer runs(out.report, "learn");
  ObliqueObjective<float> objective(samples, problem.rows, problem.basis, context);
  const std::int64_t restarts = initial.rows ? 1 : options.restarts;
  Run best;
  std::int64_t kept = -1, evaluations = 0;
  for (std::int64_t restart = 0; restart < restarts; ++restart) {
    std::vector<double> start;
    if (initial.rows) {
      start = coordinates(initial, problem);
    } else {
      const std::uint64_t seed = RandomStream(options.seed, "geometric_learning.restart").bits(restart);
      start = random_start(problem, seed);
    }
    const Context part = context.part(kStage, restart, restarts);
    Run run = descend(std::move(start), objective, problem, options, part);
    evaluations += run.evaluations;
    if (kept < 0 || run.objective < best.objective) {
      best = std::move(run);
      kept = restart;
    }
  }
  runs.finish();

  out.analysis_operator = objective.analysis(best.u);
  out.samples = samples.rows;
  out.objective = best.objective;
  if (!std::isfinite(out.objective)) {
    refuse_learning(
        "the objective is not finite at the start: rows of the initial operator are equal or of no rank");
  }
  out.report.status =
      best.stop == enum_name(LbfgsStop::iteration_limit) ? Status::iteration_limit : Status::converged;
  out.report.iterations = best.iterations;
  out.report.objective_history = std::move(best.history);
  // Bounds within the dimensions that rows can see: with zero_mean no row sees the constant.
  Matrix<double> seen(problem.rows, problem.dimension);
  std::ranges::copy(coordinates(out.analysis_operator, problem), seen.data());
  const FrameBounds bounds = frame_bounds(seen);
  auto& figures = out.report.figures;
  figures.emplace_back("stop", best.stop);
  figures.emplace_back("evaluations", evaluations);
  figures.emplace_back("restart", kept);
  figures.emplace_back("coherence", coherence(out.analysis_operator));
  figures.emplace_back("lower_frame_bound", bounds.lower);
  figures.emplace_back("upper_frame_bound", bounds.upper);
  return out;
}

double geometric_objective(MatrixView<const float> samples, MatrixView<const double> analysis,
                           const GeometricLearningOptions& requested, const Context& context) {
  validate_fields(requested);
  const GeometricLearningOptions options = resolved(requested);
  if (analysis.cols != samples.cols || analysis.rows < 1) {
    refuse_learning(fmt::format("an operator {} x {} for samples of length {}; columns must be as many",
                                analysis.rows, analysis.cols, samples.cols));
  }
  const Problem problem = make_problem(samples, options, analysis.rows, context);
  ObliqueObjective<float> objective(samples, problem.rows, problem.basis, context);
  objective.weights = {.nu = options.nu / problem.square, .kappa = options.kappa, .mu = options.mu};
  const std::vector<double> u = coordinates(analysis, problem);
  std::vector<double> gradient(u.size());
  return objective(u, gradient);
}

}  // namespace parsimony::operators
