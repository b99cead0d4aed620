#include "parsimony/operators/tangent_space.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/linear_algebra/decompositions.hpp"
#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

constexpr double kUntf = 1e-9;
// Eigenvalues of a/n (n/a I − K) lie in [0, 1]; those below this are 0 up to rounding, and belong to
// decomposable operators.
constexpr double kNull = 1e-11;

Matrix<double> copy(MatrixView<const double> view) {
  Matrix<double> out(view.rows, view.cols);
  as_eigen(out.view()) = as_eigen(view);
  return out;
}

}  // namespace

TangentSpace::TangentSpace(MatrixView<const double> omega) : omega_(copy(omega)) {
  const FrameResiduals residuals = frame_residuals(omega);
  if (!(residuals.tightness <= kUntf && residuals.norms <= kUntf)) {
    refuse(
        fmt::format("tangent space: the operator is off a unit-norm tight frame by {:.2g} (‖ΩᵀΩ − I‖) "
                    "and {:.2g} (row norms); project_untf makes it one",
                    residuals.tightness, residuals.norms));
  }
  const auto w = as_eigen(omega_.view());
  const double square = static_cast<double>(cols()) / static_cast<double>(rows());
  RowMajor system = -(w * w.transpose()).array().square().matrix() / square;
  system.diagonal().array() += 1;
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(system);
  parts_ = (solver.eigenvalues().array() <= kNull).count();
  const auto range = solver.eigenvectors().rightCols(rows() - parts_);
  stiffness_ =
      parts_ < rows() ? square * solver.eigenvalues()[parts_] : std::numeric_limits<double>::infinity();
  inverse_ = Matrix<double>(rows(), rows());
  as_eigen(inverse_.view()) =
      range * (square * solver.eigenvalues().tail(rows() - parts_)).cwiseInverse().asDiagonal() *
      range.transpose();
}

double TangentSpace::bending() const {
  const double side = 1 + std::sqrt(static_cast<double>(cols()) / static_cast<double>(rows()));
  return std::sqrt(1 + side * side / stiffness_) / 2;
}

TangentSpace::Normal TangentSpace::project(MatrixView<double> v) const {
  const auto w = as_eigen(omega_.view());
  auto out = as_eigen(v);
  RowMajor symmetric = w.transpose() * out;
  symmetric = (symmetric + symmetric.transpose()).eval() / 2;
  const RowMajor bent = w * symmetric;
  const Eigen::VectorXd right = (out.cwiseProduct(w) - bent.cwiseProduct(w)).rowwise().sum();
  const Eigen::VectorXd d = as_eigen(inverse_.view()) * right;
  symmetric.noalias() -= w.transpose() * (d.asDiagonal() * w);
  out.noalias() -= w * symmetric;
  out.noalias() -= d.asDiagonal() * w;
  Normal normal{Matrix<double>(cols(), cols()), std::vector<double>(d.begin(), d.end())};
  as_eigen(normal.symmetric.view()) = symmetric;
  return normal;
}

}  // namespace parsimony::operators
