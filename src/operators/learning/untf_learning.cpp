#include "parsimony/operators/untf_learning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "core/linear_algebra/decompositions.hpp"
#include "operators/frames/checks.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/learning/envelope.hpp"
#include "operators/learning/l1_analysis.hpp"
#include "operators/learning/noise_mixture.hpp"
#include "operators/learning/untf_steps.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/douglas_rachford.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

constexpr double kMovement = 1.5;             // lambda in units of 1 / noise
constexpr double kLeastNoise = 1e-6;          // in deviations of the signals: the rounding of float32
constexpr std::int64_t kMostForNoise = 4000;  // signals used to estimate the noise
constexpr double kFirstAware = 0.05;          // first step of NAAOL: AOL already brought it close
constexpr int kAwarePart = 8;                 // NAAOL takes 1/8 of the exploration steps
constexpr int kProgressSteps = 1000;
constexpr double kRoundingOfSquares = 1e-12;  // relative rounding of squares of float32 signals

void check(MatrixView<const float> signals, std::int64_t cols, const UntfLearningOptions& options) {
  const MatrixView<const double> initial = options.initial;
  if (options.rows < cols) {
    refuse(fmt::format("rows: {}; must be at least {}, the {} of a signal{}", count_of(options.rows, "row"),
                       cols, options.zero_mean ? "dimensions" : "values",
                       options.zero_mean ? " without its mean" : ""));
  }
  if (options.rows > signals.rows) {
    refuse(fmt::format("rows: {} from {}; must be at most as many", count_of(options.rows, "row"),
                       count_of(signals.rows, "signal")));
  }
  if (initial.rows != 0 && (initial.rows != options.rows || initial.cols != signals.cols)) {
    refuse(fmt::format("initial: an operator of {} × {}; must be {} × {}", initial.rows, initial.cols,
                       options.rows, signals.cols));
  }
}

// Root of the mean square of the values. Refuses signals without any variation and warns when they span too
// few dimensions. given: the signals before their means were subtracted.
double check_spread(MatrixView<const float> signals, MatrixView<const float> given, bool zero_mean,
                    const Context& context) {
  const std::int64_t n = signals.cols;
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd signal(n);
  double before = 0;
  bool varied = n == 1;
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (std::int64_t c = 0; c < n; ++c) signal[c] = signals(s, c);
    for (std::int64_t c = 0; c < n; ++c) gram.col(c).tail(n - c) += signal[c] * signal.tail(n - c);
    for (const float value : given.row(s)) {
      before += static_cast<double>(value) * value;
      varied = varied || value != given(s, 0);
    }
  }
  if (!varied || gram.trace() <= kRoundingOfSquares * before) {
    refuse("signals: each is constant; there is nothing to learn from");
  }
  const Eigen::VectorXd values =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues();
  const auto spanned = (values.array() > kRoundingOfSquares * values[n - 1]).count();
  if (spanned < n) {
    context.log(LogLevel::warning,
                fmt::format("the signals span {} of {}: rows outside of them say nothing{}", spanned,
                            count_of(n, "dimension"),
                            zero_mean ? "" : " (zero_mean, where the signals have no mean)"));
  }
  return std::sqrt(gram.trace() / (static_cast<double>(n) * static_cast<double>(signals.rows)));
}

// Standard deviation of the noise per value: a row w turns it into noise of σ ‖w‖ in its coefficients.
double estimate_noise(const Matrix<double>& omega, MatrixView<const float> signals, double scale) {
  const std::int64_t used = std::min(signals.rows, kMostForNoise);
  std::vector<double> coefficients;
  Eigen::VectorXd signal(signals.cols);
  for (std::int64_t k = 0; k < used; ++k) {
    const std::int64_t s = k * signals.rows / used;
    for (std::int64_t c = 0; c < signals.cols; ++c) signal[c] = signals(s, c);
    const Eigen::VectorXd values = as_eigen(omega.view()) * signal;
    coefficients.insert(coefficients.end(), values.begin(), values.end());
  }
  const double norm = std::sqrt(static_cast<double>(omega.cols()) / static_cast<double>(omega.rows()));
  return std::max(kLeastNoise * scale, narrow_deviation(std::move(coefficients)) / norm);
}

}  // namespace

LearnedOperator learn_untf(MatrixView<const float> signals, const UntfLearningOptions& requested,
                           const Context& context) {
  validate_fields(requested);
  check_signals(signals);
  UntfLearningOptions options = requested;
  const MatrixView<const double> initial = options.initial;
  if (options.rows == 0) options.rows = initial.rows > 0 ? initial.rows : 2 * signals.cols;
  const Matrix<double> basis = options.zero_mean ? zero_mean_basis(signals.cols) : Matrix<double>();
  const Matrix<float> coordinates = options.zero_mean ? to_complement(signals, basis) : Matrix<float>();
  const MatrixView<const float> data = options.zero_mean ? coordinates.view() : signals;
  check(signals, data.cols, options);
  const double scale = check_spread(data, signals, options.zero_mean, context);

  LearnedOperator out;
  out.samples = signals.rows;
  out.report = make_report(
      options.noise_aware ? "noise-aware analysis operator learning" : "analysis operator learning", context,
      options.seed);
  UntfLearningOptions used = options;
  Matrix<double> omega;
  if (initial.rows == 0) {
    omega = random_untf(options.rows, data.cols, options.seed);
  } else {
    omega = Matrix<double>(options.rows, data.cols);
    if (options.zero_mean) {
      as_eigen(omega.view()) = as_eigen(initial) * as_eigen(basis.view());
    } else {
      as_eigen(omega.view()) = as_eigen(initial);
    }
    project_untf(omega, {.seed = options.seed});
  }

  {
    StageTimer timer(out.report, "learning");
    const L1Analysis l1(data);
    omega = descend(
        std::move(omega),
        [&](MatrixView<const double> w, Matrix<double>& gradient) {
          return l1.evaluate(w, &gradient, context);
        },
        options,
        [&](double part) {
          context.progress("learning", static_cast<std::int64_t>(part * kProgressSteps), kProgressSteps);
        },
        out.report);
    project_untf(omega, {.seed = options.seed});
    out.objective = l1.evaluate(omega, nullptr, context);
  }
  if (options.noise_aware) {
    StageTimer timer(out.report, "noise-aware learning");
    const double noise = estimate_noise(omega, data, scale);
    if (options.lambda == 0) used.lambda = kMovement / noise;
    out.report.figures.clear();  // drop the figures of AOL
    out.report.figures.emplace_back("noise", noise);
    out.report.figures.emplace_back("first_noise_aware", out.report.iterations);
    UntfLearningOptions aware = used;
    aware.first_step = std::min(options.first_step, kFirstAware);
    aware.exploration = std::max(1, options.exploration / kAwarePart);
    // The steps of AOL do not count against NAAOL's limit.
    aware.max_steps = static_cast<int>(
        std::min<std::int64_t>(std::numeric_limits<int>::max(), out.report.iterations + options.max_steps));
    Envelope envelope(data, options.rows, used.lambda);
    omega = descend(
        std::move(omega),
        [&](MatrixView<const double> w, Matrix<double>& gradient) {
          return envelope.evaluate(w, options.splitting_iterations, &gradient, context);
        },
        aware,
        [&](double part) {
          context.progress("noise-aware learning", static_cast<std::int64_t>(part * kProgressSteps),
                           kProgressSteps);
        },
        out.report);
    project_untf(omega, {.seed = options.seed});
    CosparseSignals denoised = douglas_rachford(omega, data, {.lambda = used.lambda}, context);
    out.objective = denoised.objective;
    out.signals = std::move(denoised.signals);
  }
  const FrameResiduals residuals = frame_residuals(omega);
  out.report.figures.emplace_back("objective", out.objective);
  out.report.figures.emplace_back("tightness", residuals.tightness);
  out.report.figures.emplace_back("norms", residuals.norms);
  record_options(out.report, used);
  if (options.zero_mean) {
    out.analysis_operator = from_complement(omega, basis);
    if (options.noise_aware) {  // the means are kept
      const Matrix<float> moved = std::move(out.signals);
      out.signals = Matrix<float>(signals.rows, signals.cols);
      for (std::int64_t s = 0; s < signals.rows; ++s) {
        for (std::int64_t c = 0; c < signals.cols; ++c) {
          double change = 0;
          for (std::int64_t k = 0; k < basis.cols(); ++k) {
            change += basis(c, k) * (static_cast<double>(moved(s, k)) - data(s, k));
          }
          out.signals(s, c) = static_cast<float>(signals(s, c) + change);
        }
      }
    }
  } else {
    out.analysis_operator = std::move(omega);
  }
  return out;
}

}  // namespace parsimony::operators
