#include "spectral/rayleigh_ritz.hpp"

#include <algorithm>

#include "core/linear_algebra/decompositions.hpp"

namespace parsimony::spectral {
namespace {

using Dense = Eigen::MatrixXd;
using View = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

// A direction of unit columns stored in float32 that is shorter than this is rounding.
constexpr double kShortest = 1e-6;

View view(const Matrix<double>& matrix) {
  return {matrix.data(), matrix.rows(), matrix.cols()};
}

// B with Bᵀ gram B = I, of as many columns as there are directions: by Cholesky, or where that meets a short
// direction by the eigenvectors [stathopoulos2002block].
Dense orthonormal_factors(const Dense& gram) {
  const Eigen::LLT<Dense> cholesky(gram);
  if (cholesky.info() == Eigen::Success && cholesky.matrixLLT().diagonal().minCoeff() > 10 * kShortest) {
    return cholesky.matrixU().solve(Dense::Identity(gram.rows(), gram.cols()));
  }
  const Eigen::SelfAdjointEigenSolver<Dense> solver(gram);
  const auto& squares = solver.eigenvalues();
  const auto kept = std::count_if(squares.begin(), squares.end(),
                                  [](double square) { return square > kShortest * kShortest; });
  return solver.eigenvectors().rightCols(kept) * squares.tail(kept).cwiseSqrt().cwiseInverse().asDiagonal();
}

}  // namespace

RitzPairs rayleigh_ritz(const Matrix<double>& gram, const Matrix<double>& projected,
                        std::span<const double> locked) {
  const auto before = static_cast<Eigen::Index>(locked.size()), m = gram.cols();
  const Eigen::Map<const Eigen::VectorXd> values(locked.data(), before);
  const auto overlap = view(gram).topRows(before);
  // The active columns with their part along the locked ones taken off, of norm 1.
  Dense inner = view(gram).bottomRows(m) - overlap.transpose() * overlap;
  const Dense cross = overlap.transpose() * view(projected).topRows(before);
  Dense operated = view(projected).bottomRows(m) - cross - cross.transpose() +
                   overlap.transpose() * values.asDiagonal() * overlap;
  Eigen::VectorXd norms = inner.diagonal().cwiseMax(0.0).cwiseSqrt();
  const Eigen::VectorXd inverse = norms.unaryExpr([](double norm) { return norm > 1e-30 ? 1 / norm : 0.0; });
  inner = inverse.asDiagonal() * inner * inverse.asDiagonal();
  operated = inverse.asDiagonal() * operated * inverse.asDiagonal();

  const Dense basis = orthonormal_factors(inner);
  const Dense small = basis.transpose() * operated * basis;
  const Eigen::SelfAdjointEigenSolver<Dense> solver(Dense((small + small.transpose()) / 2));
  const Dense active = inverse.asDiagonal() * (basis * solver.eigenvectors());

  RitzPairs out;
  out.values.assign(solver.eigenvalues().begin(), solver.eigenvalues().end());
  out.factors = Matrix<double>(before + m, active.cols());
  Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> factors(
      out.factors.data(), before + m, active.cols());
  factors.topRows(before) = -overlap * active;
  factors.bottomRows(m) = active;
  return out;
}

}  // namespace parsimony::spectral
