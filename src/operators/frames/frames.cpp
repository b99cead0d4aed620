#include "parsimony/operators/frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "core/linear_algebra/decompositions.hpp"
#include "operators/frames/checks.hpp"
#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

constexpr double kLost = 1e-12;  // relative eigenvalue of the Gram matrix that is only rounding
// Eigenvalues of the Gram matrix carry the rounding of the largest. When they differ by more than this, the
// factor is projected a second time, now from close by.
constexpr double kWellConditioned = 1e-4;

void check_operator(MatrixView<const double> omega, bool tall) {
  if (omega.rows < 1 || omega.cols < 1) {
    refuse(fmt::format("operator: {} × {} is empty", omega.rows, omega.cols));
  }
  if (tall && omega.rows < omega.cols) {
    refuse(fmt::format("operator: {}; must be at least the {}", count_of(omega.rows, "row"),
                       count_of(omega.cols, "column")));
  }
  check_finite(omega, "operator");
}

// A random unit vector orthogonal to the first `count` orthonormal columns of u.
Eigen::VectorXd fresh_direction(const Eigen::MatrixXd& u, Eigen::Index count, std::uint64_t seed) {
  const RandomStream random(seed, "frames.direction", static_cast<std::uint64_t>(count));
  Eigen::VectorXd out(u.rows());
  for (Eigen::Index i = 0; i < out.size(); ++i) out[i] = random.normal(static_cast<std::uint64_t>(i));
  for (int pass = 0; pass < 2; ++pass) {
    const Eigen::VectorXd inner = u.leftCols(count).transpose() * out;
    out -= u.leftCols(count) * inner;
    out.normalize();
  }
  return out;
}

// Rotates rows i and j, whose squared norms lie on both sides of the target, by the smaller of the two angles
// that give row i the target.
void rotate_rows(MatrixView<double> omega, std::int64_t i, std::int64_t j, double target) {
  double own = 0, other = 0, inner = 0;
  for (std::int64_t c = 0; c < omega.cols; ++c) {
    own += omega(i, c) * omega(i, c);
    other += omega(j, c) * omega(j, c);
    inner += omega(i, c) * omega(j, c);
  }
  // |cos · u + sin · v|² = target is, with t = tan, p t² + 2 h t − q = 0 where p, q ≥ 0: two real roots.
  const double side = own < target ? 1 : -1;
  const double p = std::max(0.0, side * (other - target)), q = side * (target - own), h = side * inner;
  const double denominator = std::abs(h) + std::sqrt(h * h + p * q);
  if (denominator == 0) return;
  const double t = std::copysign(q / denominator, h);
  const double cosine = 1 / std::sqrt(1 + t * t), sine = t * cosine;
  for (std::int64_t c = 0; c < omega.cols; ++c) {
    const double u = omega(i, c), v = omega(j, c);
    omega(i, c) = cosine * u + sine * v;
    omega(j, c) = cosine * v - sine * u;
  }
}

constexpr double kRoundingOfNorms = 1e-13;

// Every rotation gives one more row its final norm; the last row then has it too, because the trace is fixed.
// Among the partners on the other side, the one of the largest inner product needs the smallest rotation.
void equalize_norms(MatrixView<double> omega) {
  const double target = static_cast<double>(omega.cols) / static_cast<double>(omega.rows);
  std::vector<char> done(omega.rows, 0);
  const auto inner = [&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t c = 0; c < omega.cols; ++c) sum += omega(i, c) * omega(j, c);
    return sum;
  };
  for (std::int64_t round = 1; round < omega.rows; ++round) {
    std::int64_t worst = -1, partner = -1;
    double excess = 0, closest = -1;
    for (std::int64_t i = 0; i < omega.rows; ++i) {
      const double difference = inner(i, i) - target;
      if (done[i] == 0 && (worst < 0 || std::abs(difference) > std::abs(excess))) {
        worst = i;
        excess = difference;
      }
    }
    for (std::int64_t j = 0; j < omega.rows; ++j) {
      if (done[j] != 0 || j == worst || (inner(j, j) - target) * excess > 0) continue;
      if (std::abs(inner(worst, j)) > closest) {
        closest = std::abs(inner(worst, j));
        partner = j;
      }
    }
    // Only rounding remains, and between orthogonal rows removing it would take a large rotation.
    if (partner < 0 || std::abs(excess) <= kRoundingOfNorms * target) return;
    rotate_rows(omega, worst, partner, target);
    done[worst] = 1;
  }
}

}  // namespace

void project_unit_norm(MatrixView<double> omega, std::uint64_t seed) {
  check_operator(omega, false);
  const double norm = std::sqrt(static_cast<double>(omega.cols) / static_cast<double>(omega.rows));
  auto rows = as_eigen(omega);
  for (std::int64_t i = 0; i < omega.rows; ++i) {
    double length = rows.row(i).stableNorm();
    if (length == 0) {
      const RandomStream random(seed, "frames.row", static_cast<std::uint64_t>(i));
      for (std::int64_t c = 0; c < omega.cols; ++c)
        omega(i, c) = random.normal(static_cast<std::uint64_t>(c));
      length = rows.row(i).norm();
    }
    rows.row(i) /= length;  // first: norm / length may overflow
    rows.row(i) *= norm;
  }
}

void project_tight_frame(MatrixView<double> omega, std::uint64_t seed) {
  check_operator(omega, true);
  auto matrix = as_eigen(omega);
  const double largest = matrix.cwiseAbs().maxCoeff();
  if (largest > 0) matrix /= largest;  // no square leaves the range
  for (int pass = 0; pass < 4; ++pass) {
    const Eigen::MatrixXd gram = matrix.transpose() * matrix;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
    const Eigen::VectorXd& values = solver.eigenvalues();  // ascending
    const Eigen::MatrixXd& vectors = solver.eigenvectors();
    const Eigen::Index n = values.size();
    const double top = values[n - 1];
    if (top > 0 && values[0] > kLost * top) {
      const Eigen::MatrixXd inverse_root =
          vectors * values.cwiseSqrt().cwiseInverse().asDiagonal() * vectors.transpose();
      matrix = (matrix * inverse_root).eval();
      if (values[0] > kWellConditioned * top) return;
      continue;
    }
    // Left singular vectors, strongest first, then new ones.
    Eigen::MatrixXd left(omega.rows, n);
    for (Eigen::Index k = 0; k < n; ++k) {
      const Eigen::Index source = n - 1 - k;
      if (top > 0 && values[source] > kLost * top) {
        left.col(k) = matrix * vectors.col(source) / std::sqrt(values[source]);
      } else {
        left.col(k) = fresh_direction(left, k, seed);
      }
    }
    matrix = left * vectors.rowwise().reverse().transpose();
  }
}

FrameResiduals frame_residuals(MatrixView<const double> omega) {
  check_operator(omega, false);
  const auto matrix = as_eigen(omega);
  const double norm = std::sqrt(static_cast<double>(omega.cols) / static_cast<double>(omega.rows));
  const Eigen::MatrixXd gram = matrix.transpose() * matrix;
  return {(gram - Eigen::MatrixXd::Identity(omega.cols, omega.cols)).norm(),
          (matrix.rowwise().norm().array() - norm).abs().maxCoeff()};
}

UntfProjection project_untf(MatrixView<double> omega, const UntfOptions& options) {
  validate_fields(options);
  check_operator(omega, true);
  UntfProjection out;
  project_tight_frame(omega, options.seed);
  out.residuals = frame_residuals(omega);
  const auto met = [&] {
    return out.residuals.norms <= options.tolerance && out.residuals.tightness <= options.tolerance;
  };
  while (!met() && out.iterations < options.max_iterations) {
    // Another seed: a row that becomes zero again gets another direction.
    project_unit_norm(omega, options.seed + static_cast<std::uint64_t>(out.iterations));
    project_tight_frame(omega, options.seed);
    ++out.iterations;
    out.residuals = frame_residuals(omega);
  }
  out.converged = met();
  if (options.exact) {
    equalize_norms(omega);
    out.residuals = frame_residuals(omega);
  }
  return out;
}

Matrix<double> random_untf(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  if (cols < 1 || rows < cols) {
    refuse(fmt::format("operator: {} × {}; must have at least as many rows as columns", rows, cols));
  }
  const RandomStream random(seed, "frames.untf");
  Matrix<double> omega(rows, cols);
  for (std::int64_t i = 0; i < omega.size(); ++i)
    omega.data()[i] = random.normal(static_cast<std::uint64_t>(i));
  project_untf(omega, {.seed = seed});
  return omega;
}

FrameBounds frame_bounds(MatrixView<const double> omega) {
  check_operator(omega, false);
  const auto matrix = as_eigen(omega);
  const Eigen::MatrixXd gram = matrix.transpose() * matrix;
  const Eigen::VectorXd values =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues();
  return {omega.rows < omega.cols ? 0 : std::max(0.0, values[0]), values[values.size() - 1]};
}

FrameBounds zero_mean_frame_bounds(MatrixView<const double> omega) {
  check_operator(omega, false);
  const Matrix<double> basis = zero_mean_basis(omega.cols);
  Matrix<double> seen(omega.rows, basis.cols());
  as_eigen(seen.view()) = as_eigen(omega) * as_eigen(basis.view());
  return frame_bounds(seen);
}

double coherence(MatrixView<const double> omega) {
  check_operator(omega, false);
  RowMajor rows = as_eigen(omega);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    const double length = rows.row(i).stableNorm();
    if (length > 0) rows.row(i) /= length;
  }
  double largest = 0;
  for (Eigen::Index i = 1; i < rows.rows(); ++i) {
    largest = std::max(largest, (rows.topRows(i) * rows.row(i).transpose()).cwiseAbs().maxCoeff());
  }
  return std::min(1.0, largest);
}

std::int64_t untf_dimension(std::int64_t rows, std::int64_t cols) {
  return rows * cols - cols * (cols + 1) / 2 - rows + 1;
}

Matrix<double> complement_basis(MatrixView<const double> null_space) {
  check_operator(null_space, false);
  const std::int64_t k = null_space.rows, n = null_space.cols;
  if (k >= n) {
    refuse(fmt::format("null space: {} of {} {} nothing to learn", count_of(k, "direction"),
                       count_of(n, "coordinate"), noun_of(k, "leaves", "leave")));
  }
  const Eigen::MatrixXd directions = as_eigen(null_space).transpose();
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(directions);
  if (qr.rank() < k) {
    refuse(fmt::format("null space: the {} {} linearly dependent", count_of(k, "direction"),
                       noun_of(k, "is", "are")));
  }
  const Eigen::MatrixXd q = qr.householderQ();
  Matrix<double> basis(n, n - k);
  as_eigen(basis.view()) = q.rightCols(n - k);
  return basis;
}

Matrix<double> zero_mean_basis(std::int64_t cols) {
  if (cols < 2) {
    refuse(fmt::format("zero mean: signals of {}; must have at least 2", count_of(cols, "value")));
  }
  Matrix<double> ones(1, cols);
  std::fill_n(ones.data(), cols, 1.0);
  return complement_basis(ones);
}

Matrix<double> from_complement(MatrixView<const double> theta, MatrixView<const double> basis) {
  if (theta.cols != basis.cols) {
    refuse(fmt::format("operator: {}; the basis has {}", count_of(theta.cols, "column"), basis.cols));
  }
  Matrix<double> omega(theta.rows, basis.rows);
  as_eigen(omega.view()) = as_eigen(theta) * as_eigen(basis).transpose();
  return omega;
}

Matrix<float> to_complement(MatrixView<const float> signals, MatrixView<const double> basis) {
  if (signals.cols != basis.rows) {
    refuse(fmt::format("signals: {} a row; the basis has {}", count_of(signals.cols, "value"), basis.rows));
  }
  Matrix<float> out(signals.rows, basis.cols);
  Eigen::RowVectorXd from(basis.rows), to(basis.cols);
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (std::int64_t c = 0; c < signals.cols; ++c) from[c] = signals(s, c);
    to.noalias() = from * as_eigen(basis);
    for (std::int64_t c = 0; c < out.cols(); ++c) out(s, c) = static_cast<float>(to[c]);
  }
  return out;
}

}  // namespace parsimony::operators
