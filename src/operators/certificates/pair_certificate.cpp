#include "parsimony/operators/pair_certificate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/count_of.hpp"
#include "core/linear_algebra/decompositions.hpp"
#include "operators/certificates/denoised_pair.hpp"
#include "operators/certificates/exact_multipliers.hpp"
#include "operators/frames/checks.hpp"
#include "operators/frames/row_span.hpp"
#include "operators/solvers/linear_program.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/tangent_space.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kLargestForm = 2048;  // a n
constexpr double kStrict = 1e-9;             // margin below 1 that |N| must keep
constexpr double kFlat = 1e-9;               // relative curvature of the form that may be rounding
constexpr double kStep = 1e-3;  // relative length of the first step, short enough to stay in the basin
constexpr double kRoundingOfPair = 1e-13, kStationary = 1e-10;  // relative gradients
constexpr int kMostSteps = 30;
constexpr double kFarthest = 0.1;  // relative distance of an optimum that is too far to certify Ω

RowMajor in_float64(MatrixView<const float> view) {
  RowMajor out(view.rows, view.cols);
  for (std::int64_t i = 0; i < view.rows; ++i) {
    for (std::int64_t c = 0; c < view.cols; ++c) out(i, c) = static_cast<double>(view(i, c));
  }
  return out;
}

void check(MatrixView<const double> omega, MatrixView<const float> noisy, MatrixView<const float> denoised) {
  if (!has_enough_rows(omega)) {
    refuse(
        fmt::format("operator: {} x {}, but an analysis operator has at least as many rows as columns "
                    "(one less if no row has a mean)",
                    omega.rows, omega.cols));
  }
  if (noisy.cols != omega.cols || noisy.rows < 1) {
    refuse(fmt::format("noisy signals: {} x {}, but the operator is {} x {}; one signal a row is expected",
                       noisy.rows, noisy.cols, omega.rows, omega.cols));
  }
  if (denoised.rows != noisy.rows || denoised.cols != noisy.cols) {
    refuse(fmt::format("denoised signals: {} x {}, but the noisy ones are {} x {}", denoised.rows,
                       denoised.cols, noisy.rows, noisy.cols));
  }
  check_finite(noisy, "noisy signals");
  check_finite(denoised, "denoised signals");
}

class PairTest {
 public:
  PairTest(const RowMajor& omega, MatrixView<const float> noisy, MatrixView<const float> denoised,
           const PairOptions& options, const Context& context)
      : omega_(omega),
        noisy_(in_float64(noisy)),
        options_(options),
        context_(context),
        tangent_(view(omega_)),
        pattern_(pattern_of(omega_, noisy_, in_float64(denoised), options.zero_tolerance)) {
    given_ = in_float64(denoised);
    settle_pattern(omega_, noisy_, pattern_, options.lambda, context);
    pair_ = solve_pattern(omega_, noisy_, pattern_, options.lambda, context);
  }

  void run(PairCertificate& out) {
    out.dimension = tangent_.dimension();
    out.objective = pair_.objective;
    out.signals = noisy_.rows();
    out.multiplier = pair_.largest;
    for (Eigen::Index j = 0; j < noisy_.rows(); ++j) {
      out.zeros += static_cast<std::int64_t>(pattern_.zeros[j].size());
      const double length = noisy_.row(j).norm(), change = (pair_.signals.row(j) - given_.row(j)).norm();
      if (length > 0) out.moved = std::max(out.moved, change / length);
    }
    if (options_.exact) {
      StageTimer timer(out.report, "linear program");
      out.first_order_gap = first_order_gap();
    }
    if (pair_.inconsistent > 0) {
      out.explanation = fmt::format(
          "Undecided: {} of the {} {} not the minimum for this operator with the zeros that they have "
          "(max|N| = {:.3g}, where at most 1 is needed); denoise them with it to a smaller gap, or change "
          "the zero tolerance.",
          pair_.inconsistent, count_of(noisy_.rows(), "signal"), noun_of(pair_.inconsistent, "is", "are"),
          pair_.largest);
      return;
    }
    if (pair_.signals.norm() <= 1e-12 * noisy_.norm()) {  // but for rounding
      out.explanation =
          "Undecided: lambda is so small that every signal is denoised to zero, for which all operators are "
          "alike.";
      return;
    }
    RowMajor gradient = pair_.multipliers.transpose() * pair_.signals;
    const double length = gradient.norm();
    tangent_.project(MatrixView<double>(gradient.data(), omega_.rows(), omega_.cols()));
    out.stationarity = length > 0 ? gradient.norm() / length : 0;
    if (out.stationarity > options_.stationarity) {
      if (!refutes(-gradient, out)) {
        out.explanation = fmt::format(
            "Undecided: the gradient is not zero (relative {:.1e}), but no step along it lowered the "
            "objective.",
            out.stationarity);
      }
      return;
    }
    StageTimer timer(out.report, "second order");
    second_order(out);
  }

 private:
  static MatrixView<const double> view(const RowMajor& matrix) {
    return {matrix.data(), matrix.rows(), matrix.cols()};
  }

  // An operator, the signals with the zeros and signs of the pattern, and the gradient at both.
  struct Point {
    RowMajor omega;
    TangentSpace tangent;
    DenoisedPair pair;
    RowMajor gradient;  // within T
    TangentSpace::Normal normal;
    double stationarity = 0;
  };

  Point point_at(const RowMajor& omega) const {
    Point out{omega,
              TangentSpace(view(omega)),
              solve_pattern(omega, noisy_, pattern_, options_.lambda, context_),
              RowMajor(),
              {}};
    out.gradient = out.pair.multipliers.transpose() * out.pair.signals;
    const double length = out.gradient.norm();
    out.normal = out.tangent.project(MatrixView<double>(out.gradient.data(), omega.rows(), omega.cols()));
    out.stationarity = length > 0 ? out.gradient.norm() / length : 0;
    return out;
  }

  struct Curvature {
    Eigen::VectorXd values;  // eigenvalues of the form on T, ascending; those outside T come last
    Eigen::MatrixXd vectors;
    double scale = 0;
  };

  Curvature curvature_at(const Point& point) const {
    const Eigen::Index size = omega_.size();
    const Eigen::MatrixXd form = second_order_form(
        point.omega, pattern_, point.pair, options_.lambda, as_eigen(point.normal.symmetric.view()),
        Eigen::Map<const Eigen::VectorXd>(point.normal.diagonal.data(), omega_.rows()), context_);
    Eigen::MatrixXd projector(size, size);
    for (Eigen::Index k = 0; k < size; ++k) {
      Matrix<double> unit(omega_.rows(), omega_.cols());
      unit.data()[k] = 1;
      point.tangent.project(unit);
      projector.col(k) = Eigen::Map<const Eigen::VectorXd>(unit.data(), size);
    }
    const double scale = form.norm();
    Eigen::MatrixXd inside = projector * form * projector;
    inside = ((inside + inside.transpose()) / 2 +
              (scale > 0 ? 2 * scale : 1) * (Eigen::MatrixXd::Identity(size, size) - projector))
                 .eval();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(inside);
    return {solver.eigenvalues(), solver.eigenvectors(), scale};
  }

  // Newton's steps with the curvature of the start, until the gradient is rounding or stops falling.
  Point walked(Point from, const Curvature& curvature) const {
    for (int step = 0; step < kMostSteps && from.stationarity > kRoundingOfPair; ++step) {
      context_.check_cancelled();
      const Eigen::Map<const Eigen::VectorXd> gradient(from.gradient.data(), from.gradient.size());
      const Eigen::VectorXd change =
          curvature.vectors * (curvature.vectors.transpose() * gradient).cwiseQuotient(curvature.values);
      Matrix<double> moved(omega_.rows(), omega_.cols());
      as_eigen(moved.view()) =
          from.omega - Eigen::Map<const RowMajor>(change.data(), omega_.rows(), omega_.cols());
      project_untf(moved, {.tolerance = 1e-13, .exact = false});
      Point next = point_at(as_eigen(moved.view()));
      if (!(next.stationarity < from.stationarity)) break;
      from = std::move(next);
    }
    return from;
  }

  void second_order(PairCertificate& out) {
    if (omega_.size() > kLargestForm) {
      out.explanation = fmt::format(
          "Undecided: the pair is stationary (relative {:.1e}), but of {} x {} the second-order condition is "
          "too large to "
          "be computed.",
          out.stationarity, omega_.rows(), omega_.cols());
      return;
    }
    const Point here = point_at(omega_);
    Curvature curvature = curvature_at(here);
    const bool tangents = tangent_.dimension() > 0;
    out.curvature = tangents ? curvature.values[0] : std::numeric_limits<double>::infinity();
    if (out.curvature > kFlat * curvature.scale) {
      const Point there = walked(here, curvature);
      out.radius = (there.omega - omega_).norm() / omega_.norm();
      out.stationarity = there.stationarity;
      out.multiplier = there.pair.largest;
      if (tangents && out.radius > 0) {
        curvature = curvature_at(there);
        out.curvature = curvature.values[0];
      }
      if (there.pair.inconsistent > 0 || there.stationarity > kStationary) {
        out.explanation = fmt::format(
            "Undecided: the pair is nearly stationary, but Newton's steps from it, zeros and signs kept, end "
            "at a "
            "relative gradient of {:.1e}{}.",
            there.stationarity,
            there.pair.inconsistent > 0 ? ", where they are no longer those of the signals" : "");
      } else if (there.pair.largest > 1 - kStrict) {
        out.explanation = fmt::format(
            "Undecided: max|N| = {:.9g} is too near to 1 for zeros to be sure to stay.", there.pair.largest);
      } else if (!(out.curvature > kFlat * curvature.scale)) {
        out.explanation =
            fmt::format("Undecided: where the gradient is zero, the curvature is {:.2g} in one direction.",
                        out.curvature);
      } else if (out.radius > kFarthest) {
        out.explanation = fmt::format(
            "Undecided: the gradient is small, but the local optimum is at a relative distance of {:.1e}.",
            out.radius);
      } else {
        out.verdict = Verdict::certified;
        out.explanation = fmt::format(
            "Certified to second order: Newton's steps end {0:.1e} (relative) from this pair, at one with "
            "the "
            "same "
            "zeros and signs, max|N| = {1:.4g} < 1, a gradient of {4:.1e} of its size and a curvature of at "
            "least "
            "{2:.2g} in all {3} directions of the tangent space: a strict local optimum, to rounding.",
            out.radius, there.pair.largest, out.curvature, out.dimension, there.stationarity);
      }
      return;
    }
    const RowMajor direction =
        Eigen::Map<const RowMajor>(curvature.vectors.col(0).data(), omega_.rows(), omega_.cols());
    if (out.curvature < -kFlat * curvature.scale && (refutes(direction, out) || refutes(-direction, out))) {
      return;
    }
    out.explanation = fmt::format(
        "Undecided: the pair is stationary (relative {:.1e}), but the curvature is {:.2g} in one direction.",
        out.stationarity, out.curvature);
  }

  // A step along the direction, projected on UNTF; the signals keep their zeros and are the best with them.
  bool refutes(const RowMajor& along, PairCertificate& out) {
    const RowMajor direction = along / along.norm();
    double step = kStep * omega_.norm();
    for (int halving = 0; halving < 50; ++halving, step /= 2) {
      context_.check_cancelled();
      Matrix<double> moved(omega_.rows(), omega_.cols());
      as_eigen(moved.view()) = omega_ + step * direction;
      project_untf(moved, {.tolerance = 1e-12, .exact = false});
      const DenoisedPair followed =
          solve_pattern(as_eigen(moved.view()), noisy_, pattern_, options_.lambda, context_);
      const double decrease = pair_.objective - followed.objective;
      if (!(decrease > 1e-11 * pair_.objective)) continue;
      out.verdict = Verdict::refuted;
      out.decrease = decrease;
      out.direction = Matrix<double>(omega_.rows(), omega_.cols());
      as_eigen(out.direction.view()) = direction;
      out.explanation = fmt::format(
          "Not a local optimum: a step of the operator along its tangent space, with the signals following, "
          "lowers "
          "the objective from {:.6g} by {:.2g} %.",
          pair_.objective, 100 * decrease / pair_.objective);
      return true;
    }
    return false;
  }

  // Variables: N in [−1, 1], S′ and D′ free, and the absolute residuals of both equations.
  double first_order_gap() const {
    const std::int64_t a = omega_.rows(), n = omega_.cols(), samples = noisy_.rows();
    LinearProgram program(a * n + samples * n);
    const double infinity = std::numeric_limits<double>::max();
    for (Eigen::Index j = 0; j < samples; ++j) {
      for (const std::int64_t i : pattern_.zeros[j]) {
        program.column(0, -1, 1);
        for (std::int64_t c = 0; c < n; ++c) {
          program.add(i * n + c, pair_.signals(j, c));
        }
        for (std::int64_t c = 0; c < n; ++c) program.add(a * n + j * n + c, omega_(i, c));
      }
    }
    add_normal_space(view(omega_), program);
    const RowMajor of_signs = pattern_.signs.transpose() * pair_.signals, back = pattern_.signs * omega_;
    const RowMajor pull = options_.lambda * (noisy_ - pair_.signals);
    const double first = std::max((pair_.signals * omega_.transpose()).cwiseAbs().sum(), 1e-300),
                 second = std::max(pull.cwiseAbs().sum(), 1e-300);
    for (std::int64_t row = 0; row < a * n + samples * n; ++row) {
      const bool of_operator = row < a * n;
      const std::int64_t at = of_operator ? row : row - a * n;
      program.right[row] =
          of_operator ? -of_signs(at / n, at % n) : pull(at / n, at % n) - back(at / n, at % n);
      for (const double sign : {1.0, -1.0}) {
        program.column(1 / (of_operator ? first : second), 0, infinity);
        program.add(row, sign);
      }
    }
    const LinearSolution solution = solve(program, context_);
    return solution.optimal ? std::max(0.0, solution.objective) : std::numeric_limits<double>::quiet_NaN();
  }

  RowMajor omega_, noisy_, given_;
  const PairOptions& options_;
  const Context& context_;
  TangentSpace tangent_;
  SignalPattern pattern_;
  DenoisedPair pair_;
};

}  // namespace

PairCertificate certify_pair(MatrixView<const double> omega, MatrixView<const float> noisy,
                             MatrixView<const float> denoised, const PairOptions& options,
                             const Context& context) {
  validate_fields(options);
  check(omega, noisy, denoised);
  context.check_cancelled();
  const RowMajor basis = span_of_rows(omega);
  const bool whole = basis.cols() == omega.cols;
  Matrix<double> tested(omega.rows, basis.cols()), coordinates(omega.cols, basis.cols());
  as_eigen(tested.view()) = whole ? RowMajor(as_eigen(omega)) : RowMajor(as_eigen(omega) * basis);
  as_eigen(coordinates.view()) = basis;
  const FrameResiduals frame = frame_residuals(tested);
  if (!(frame.tightness <= options.frame_tolerance && frame.norms <= options.frame_tolerance)) {
    refuse(fmt::format(
        "operator: off a unit-norm tight frame with ΩᵀΩ = I{} by {:.2g} (tightness) and "
        "{:.2g} (row norms), above frame_tolerance {:g}; the test is one among those",
        whole ? "" : " within the span of its rows", frame.tightness, frame.norms, options.frame_tolerance));
  }
  PairCertificate out;
  out.report = make_report("local optimality of a pair", context, 0);
  record_options(out.report, options);
  out.curvature = out.first_order_gap = std::numeric_limits<double>::quiet_NaN();
  project_untf(tested, {.tolerance = 1e-12, .exact = false});
  if (whole) {
    PairTest(as_eigen(tested.view()), noisy, denoised, options, context).run(out);
    return out;
  }
  const Matrix<float> noisy_inside = to_complement(noisy, coordinates),
                      denoised_inside = to_complement(denoised, coordinates);
  PairTest(as_eigen(tested.view()), noisy_inside, denoised_inside, options, context).run(out);
  if (out.direction.rows() > 0) out.direction = from_complement(out.direction, coordinates);
  return out;
}

}  // namespace parsimony::operators
