#include "operators/certificates/certificate_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/count_of.hpp"
#include "core/linear_algebra/decompositions.hpp"
#include "operators/certificates/exact_multipliers.hpp"
#include "operators/certificates/injectivity.hpp"
#include "operators/frames/eigen_map.hpp"
#include "parsimony/operators/tangent_space.hpp"

namespace parsimony::operators {
namespace {

// Bounds on |M| during the search: below 1 with room to spare, and smaller ones promise more growth.
constexpr double kBoxes[] = {0.99, 0.8, 0.6};
constexpr int kTightening = 200;          // steps spent on a smaller box
constexpr double kFarthestOptimum = 0.1;  // relative distance of an optimum that is too far to certify Ω
// Relative error of the objective, from the sums and from a frame that is tight to 1e-12 only.
constexpr double kRoundingOfSearch = 1e-11;
constexpr int kCheckEvery = 10;
constexpr int kMostConjugateSteps = 2000;

double square_norm(const Matrix<double>& matrix) {
  return as_eigen(matrix.view()).squaredNorm();
}

double inner(const Matrix<double>& a, const Matrix<double>& b) {
  return as_eigen(a.view()).cwiseProduct(as_eigen(b.view())).sum();
}

double largest(const std::vector<double>& values) {
  double out = 0;
  for (const double value : values) out = std::max(out, std::abs(value));
  return out;
}

double sum_of_sizes(const std::vector<double>& values) {
  double out = 0;
  for (const double value : values) out += std::abs(value);
  return out;
}

// Tests an operator that is a UNTF of full rank.
class Search {
 public:
  Search(MatrixView<const double> omega, MatrixView<const float> signals, const ZeroPattern& pattern,
         const CertificateOptions& options, const Context& context)
      : omega_(omega),
        signals_(signals),
        options_(options),
        context_(context),
        pattern_(pattern),
        tangent_(omega),
        map_(signals, pattern, context),
        blocks_(map_.blocks()) {
    double longest = 0;
    for (const std::int64_t j : pattern.signals) {
      double square = 0;
      for (const float value : signals.row(j)) square += static_cast<double>(value) * value;
      longest = std::max(longest, square);
    }
    injectivity_ = injectivity(omega, blocks_, std::sqrt(longest), context);
    scale_ = std::sqrt(square_norm(pattern.gradient));
    hidden_ = 2 * pattern.zero_sum + kRoundingOfSearch * pattern.objective;
    frame_ = frame_residuals(omega);
    widest_ = widest();
  }

  void run(OperatorCertificate& out) {
    out.dimension = tangent_.dimension();
    out.injective = injectivity_.injective || out.dimension == 0;
    if (out.dimension == 0) {
      out.verdict = Verdict::certified;
      out.explanation = "Certified: no other unit-norm tight frame is near.";
      return;
    }
    multipliers_.assign(map_.size(), 0);
    bool settled = false;
    if (injectivity_.injective) {
      StageTimer timer(out.report, "least squares");
      correct(multipliers_);
      settled = certifies(multipliers_, out);
      out.least_squares = out.multiplier;
    }
    // Multipliers of least norm just below 1 promise little growth.
    if (!settled || out.least_squares > kBoxes[1]) {
      StageTimer timer(out.report, "search");
      search(out);
    }
    if (options_.exact) {
      StageTimer timer(out.report, "linear program");
      settle(out);
    }
  }

 private:
  // P_T(G + M Xᵀ), or without G.
  Matrix<double> residual(const std::vector<double>& multipliers, bool with_gradient = true) const {
    Matrix<double> out(omega_.rows, omega_.cols);
    map_.adjoint(multipliers, with_gradient, out);
    tangent_.project(out);
    return out;
  }

  // max|M| of some M with P_T(G + M Xᵀ) = 0: removing the residual ‖R‖ = off of the multipliers found costs
  // at most this much more.
  double bound_of_exact(double most, double off) const { return most + off / injectivity_.lower; }

  // ‖P_Λ(VX)‖₁ ≤ widest · ‖V‖_F for every V.
  double widest() const {
    const std::int64_t n = omega_.cols;
    std::vector<double> squares(omega_.rows);
    context_.for_blocks(omega_.rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const RowMajor block = as_eigen(MatrixView<const double>(blocks_.row(i * n).data(), n, n));
        const Eigen::SelfAdjointEigenSolver<RowMajor> solver(block, Eigen::EigenvaluesOnly);
        const auto zeros = static_cast<double>(pattern_.offsets[i + 1] - pattern_.offsets[i]);
        squares[i] = zeros * std::max(0.0, solver.eigenvalues()[n - 1]) * (1 + 1e-9);
      }
    });
    double sum = 0;
    for (const double square : squares) sum += square;
    return std::sqrt(sum);
  }

  // P_T AᵀA Δ for Δ in T.
  Matrix<double> normal_product(const Matrix<double>& delta) const {
    const std::int64_t n = omega_.cols;
    Matrix<double> out(omega_.rows, n);
    context_.for_blocks(omega_.rows, 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        as_eigen(out.view()).row(i).noalias() =
            as_eigen(delta.view()).row(i) *
            as_eigen(MatrixView<const double>(blocks_.row(i * n).data(), n, n));
      }
    });
    tangent_.project(out);
    return out;
  }

  // Adds to M the change of least norm that takes P_T(G + M Xᵀ) to 0: A Δ, where AᵀA Δ = −P_T(G + M Xᵀ) on T
  // is solved by conjugate gradients.
  void correct(std::vector<double>& multipliers) const {
    Matrix<double> solution(omega_.rows, omega_.cols), r = residual(multipliers);
    Matrix<double> direction = r;
    double square = square_norm(r);
    const double enough = 1e-24 * scale_ * scale_;
    const auto steps = std::min<std::int64_t>(2 * tangent_.dimension() + 20, kMostConjugateSteps);
    for (std::int64_t step = 0; step < steps && square > enough; ++step) {
      context_.check_cancelled();
      const Matrix<double> product = normal_product(direction);
      const double curvature = inner(direction, product);
      // Rounding leaves a part outside T. It has no curvature and would make the step infinite.
      if (!(curvature > 1e-13 * injectivity_.largest * square_norm(direction))) break;
      const double length = square / curvature;
      as_eigen(solution.view()) += length * as_eigen(direction.view());
      as_eigen(r.view()) -= length * as_eigen(product.view());
      const double next = square_norm(r);
      as_eigen(direction.view()) = as_eigen(r.view()) + next / square * as_eigen(direction.view());
      square = next;
    }
    tangent_.project(solution);
    std::vector<double> change(multipliers.size());
    map_.apply(solution, change);
    for (std::size_t k = 0; k < change.size(); ++k) multipliers[k] -= change[k];
  }

  // For every other UNTF Ω + Δ, ‖Δ‖ = r, f(Ω + Δ) − f(Ω) ≥ growth r − bend r² − hidden: ‖·‖₁ is convex, the
  // part ΩS + DΩ of G + M Xᵀ outside T has ⟨ΩS + DΩ, Δ⟩ = −½⟨S, ΔᵀΔ⟩ − ½ Σ d_i ‖δ_i‖², and the part of Δ
  // outside T is at most bending() r².
  bool certifies(const std::vector<double>& multipliers, OperatorCertificate& out) const {
    Matrix<double> left(omega_.rows, omega_.cols);
    map_.adjoint(multipliers, true, left);
    const TangentSpace::Normal normal = tangent_.project(left);
    const double most = largest(multipliers), off = std::sqrt(square_norm(left));
    const double growth = (1 - most) * injectivity_.lower - off;
    const double bound = bound_of_exact(most, off);
    if (std::isnan(out.multiplier) || bound <= out.multiplier) {
      out.multiplier = bound;
      out.residual = off;
    }
    if (!(growth > out.growth)) return false;
    const Eigen::SelfAdjointEigenSolver<RowMajor> symmetric(RowMajor(as_eigen(normal.symmetric.view())),
                                                            Eigen::EigenvaluesOnly);
    const double pull = symmetric.eigenvalues()[omega_.cols - 1] +
                        *std::max_element(normal.diagonal.begin(), normal.diagonal.end());
    const double bend =
        std::max(0.0, pull) / 2 + (1 - most) * (injectivity_.lower + widest_) * tangent_.bending();
    double uneven = 0;
    for (const double value : normal.diagonal) uneven += std::abs(value);
    const double hidden =
        hidden_ + frame_.tightness * std::sqrt(square_norm(normal.symmetric)) + 2 * frame_.norms * uneven;
    const double room = growth * growth - 4 * bend * hidden;
    const double whole = std::sqrt(static_cast<double>(omega_.cols));
    const double radius = room > 0 ? 2 * hidden / ((growth + std::sqrt(room)) * whole) : 0;
    if (room > 0 && radius <= kFarthestOptimum) {
      out.growth = growth;
      out.bend = bend;
      out.radius = radius;
      out.basin = bend > 0 ? (growth + std::sqrt(room)) / (2 * bend * whole)
                           : std::numeric_limits<double>::infinity();
      out.verdict = Verdict::certified;
      out.explanation = fmt::format(
          "Certified: a local optimum lies within {:.1e} (relative) of the operator; multipliers with max|M| "
          "= {:.3g} < 1 bound the objective from below in all {} of the tangent space, and up to a distance "
          "of {:.1e} the curvature does not outweigh that.",
          out.radius, most, count_of(out.dimension, "direction"), out.basin);
      return true;
    }
    if (out.verdict == Verdict::undecided) {
      too_coarse_ = true;
      out.explanation = fmt::format(
          "Undecided: to first order the objective grows in all directions (by {:.2g}), but the coefficients "
          "counted as zero are too large for that to outweigh the curvature; a smaller zero tolerance may "
          "decide it.",
          growth);
    }
    return false;
  }

  // The answer of the solver is a proposal only: the multipliers are corrected, the direction is projected on
  // T, and both must pass the same proofs as any others.
  void settle(OperatorCertificate& out) {
    const ExactMultipliers exact = exact_multipliers(omega_, signals_, pattern_, context_);
    out.report.figures.emplace_back("linear_program_iterations", exact.iterations);
    if (!exact.solved) {
      out.explanation += " The linear program was not solved to its tolerances.";
      return;
    }
    Matrix<double> direction = exact.direction;
    tangent_.project(direction);
    std::vector<double> change(map_.size());
    map_.apply(direction, change);
    const double across = sum_of_sizes(change), along = -inner(direction, pattern_.gradient);
    // Ignores slopes, and zeros that a direction changes, that are within the rounding of the sums.
    const double rounding = 1e-12 * scale_ * std::sqrt(square_norm(direction));
    out.exact_lower = along <= rounding       ? 0
                      : across > 1e-9 * along ? along / across
                                              : std::numeric_limits<double>::infinity();
    out.exact_upper = std::numeric_limits<double>::infinity();
    if (injectivity_.injective && !exact.multipliers.empty()) {
      std::vector<double> multipliers = exact.multipliers;
      correct(multipliers);
      out.exact_upper = bound_of_exact(largest(multipliers), std::sqrt(square_norm(residual(multipliers))));
      if (out.verdict != Verdict::refuted) certifies(multipliers, out);
    }
    if (out.verdict == Verdict::undecided) {
      as_eigen(direction.view()) *= -1;
      if (!refutes(direction, out) && !too_coarse_ && injectivity_.injective) {
        out.explanation = fmt::format(
            "Undecided: the smallest possible max|M| lies between {:.6g} and {:.6g}, too near to 1 to tell "
            "in floating "
            "point.",
            out.exact_lower, out.exact_upper);
      }
    }
  }

  // Proves that −R / ‖R‖ is a direction of descent by a step along it.
  bool refutes(const Matrix<double>& r, OperatorCertificate& out) const {
    const double length = std::sqrt(square_norm(r));
    if (!(length > 1e-12 * scale_)) return false;
    Matrix<double> direction = r;
    as_eigen(direction.view()) /= -length;
    std::vector<double> change(map_.size());
    map_.apply(direction, change);
    const double slope = inner(direction, pattern_.gradient) + sum_of_sizes(change);
    if (!(slope < -1e-10 * scale_)) return false;
    // T may have directions that no curve on the manifold follows: only short steps show descent there.
    const bool singular = tangent_.parts() > 1 && omega_.rows > omega_.cols;
    double step = std::sqrt(static_cast<double>(omega_.cols)) * (singular ? 1e-4 : 0.25);
    for (int halving = 0; halving < 40; ++halving, step /= 2) {
      context_.check_cancelled();
      Matrix<double> moved(omega_.rows, omega_.cols);
      as_eigen(moved.view()) = as_eigen(omega_) + step * as_eigen(direction.view());
      retract(moved);
      const double decrease = pattern_.objective - analysis_objective(moved, signals_, context_);
      if (!(decrease > 1e-10 * pattern_.objective)) continue;
      out.verdict = Verdict::refuted;
      out.slope = slope;
      out.decrease = decrease;
      out.direction = std::move(direction);
      out.explanation = fmt::format(
          "Not a local optimum: a step along a direction of the tangent space, projected on the unit-norm "
          "tight frames, lowers the objective from {:.6g} by {:.2g} %.",
          pattern_.objective, 100 * decrease / pattern_.objective);
      return true;
    }
    return false;
  }

  // Accelerated projected gradient with restarts on ½‖P_T(G + M Xᵀ)‖² over |M| ≤ box.
  void search(OperatorCertificate& out) {
    for (const double box : kBoxes) {
      const bool first = box == kBoxes[0];
      if (!search_box(box, first ? options_.max_iterations : kTightening, out)) break;
    }
    if (out.explanation.empty()) {
      out.report.status = Status::iteration_limit;
      explain_undecided(out);
    }
  }

  // True when it found multipliers that certify the operator.
  bool search_box(double box, int steps, OperatorCertificate& out) {
    for (double& m : multipliers_) m = std::clamp(m, -box, box);
    std::vector<double> ahead = multipliers_, gradient(multipliers_.size());
    double momentum = 1;
    int next_correction = kCheckEvery;
    for (int step = 0; step <= steps; ++step) {
      context_.check_cancelled();
      if (step % 100 == 0) context_.progress("certificate", step, steps);
      if (step % kCheckEvery == 0) {
        if (out.verdict == Verdict::undecided && refutes(residual(multipliers_), out)) return false;
        if (step >= next_correction && injectivity_.injective) {
          next_correction = 2 * step;
          std::vector<double> corrected = multipliers_;
          correct(corrected);
          if (certifies(corrected, out)) return true;
        }
      }
      if (map_.size() == 0) return false;
      if (step > 0) ++out.report.iterations;
      map_.apply(residual(ahead), gradient);
      const double previous = momentum;
      momentum = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
      double turned = 0;
      for (std::size_t k = 0; k < multipliers_.size(); ++k) {
        const double moved = std::clamp(ahead[k] - gradient[k] / injectivity_.largest, -box, box);
        turned += (ahead[k] - moved) * (moved - multipliers_[k]);
        ahead[k] = moved + (previous - 1) / momentum * (moved - multipliers_[k]);
        multipliers_[k] = moved;
      }
      if (turned > 0) {
        momentum = 1;
        ahead = multipliers_;
      }
    }
    return false;
  }

  void explain_undecided(OperatorCertificate& out) const {
    if (injectivity_.undecided) {
      out.explanation =
          "Undecided: too few signals vanish on the rows for their zeros to hold every direction of the "
          "tangent "
          "space, as far as the test can tell; more signals would decide it.";
    } else if (!injectivity_.injective) {
      out.explanation = fmt::format(
          "Undecided: along some directions of the tangent space all {} zeros stay zero; more "
          "signals, or "
          "a larger zero tolerance, would decide it.",
          map_.size());
    } else {
      out.explanation = fmt::format(
          "Undecided: the best multipliers found have max|M| = {:.3g}, where below 1 would certify, and no "
          "direction of descent was found in {}.",
          out.multiplier, count_of(out.report.iterations, "step"));
    }
  }

  MatrixView<const double> omega_;
  MatrixView<const float> signals_;
  const CertificateOptions& options_;
  const Context& context_;
  const ZeroPattern& pattern_;
  TangentSpace tangent_;
  ZeroMap map_;
  Matrix<double> blocks_;
  Injectivity injectivity_;
  double scale_ = 0;   // ‖G‖_F
  double hidden_ = 0;  // error of the objective from inexact zeros and rounding
  FrameResiduals frame_;
  double widest_ = 0;
  mutable bool too_coarse_ = false;
  std::vector<double> multipliers_;
};

}  // namespace

void retract(MatrixView<double> omega) {
  if (!project_untf(omega, {.tolerance = 1e-12, .exact = false}).converged) project_untf(omega);
}

void search_certificate(MatrixView<const double> omega, MatrixView<const float> signals,
                        const ZeroPattern& pattern, const CertificateOptions& options, const Context& context,
                        OperatorCertificate& out) {
  Search(omega, signals, pattern, options, context).run(out);
}

}  // namespace parsimony::operators
