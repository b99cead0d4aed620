#include "operators/solvers/splitting.hpp"

#include <algorithm>
#include <cmath>

#include "core/linear_algebra/decompositions.hpp"
#include "kernels/absolute_values.hpp"
#include "kernels/outer_products.hpp"
#include "kernels/round_up.hpp"
#include "operators/frames/eigen_map.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

constexpr double kMostCondition = 64;  // ratio of frame bounds beyond which the penalty stays the same
constexpr std::int64_t kWidth = kSignalsPerSplitting;

template <class T, class From>
Matrix<T> pad(const From& from, std::int64_t columns) {
  Matrix<T> out(from.rows(), columns);
  for (std::int64_t i = 0; i < from.rows(); ++i) {
    for (std::int64_t j = 0; j < from.cols(); ++j) out(i, j) = static_cast<T>(from(i, j));
  }
  return out;
}

}  // namespace

template <class T>
Splitting<T>::Splitting(MatrixView<const double> omega, double lambda, double gamma)
    : rows_(omega.rows),
      cols_(omega.cols),
      padded_rows_(kernels::round_up(omega.rows, kernels::kOuterRows)),
      padded_cols_(kernels::round_up(omega.cols, kernels::kOuterRows)),
      lambda_(lambda),
      gamma_(gamma),
      anchor_(padded_cols_, kWidth),
      coefficients_(padded_rows_, kWidth),
      reflected_(padded_rows_, kWidth) {
  const RowMajor w = as_eigen(omega);
  if (gamma_ == 0) {
    // For ΩᵀΩ = I twice the weight of the fidelity converges fastest; elsewhere a value between the bounds
    // does.
    const auto [lower, upper] = frame_bounds(omega);
    gamma_ = upper > 0 ? 2 * lambda / std::sqrt(std::max(lower, upper / kMostCondition) * upper) : lambda;
  }
  Eigen::MatrixXd system = gamma_ * w.transpose() * w;
  system.diagonal().array() += lambda;
  const Eigen::LLT<Eigen::MatrixXd> cholesky(system);
  const Eigen::MatrixXd synthesis = gamma_ * cholesky.solve(w.transpose());
  const Eigen::MatrixXd fidelity = lambda * cholesky.solve(Eigen::MatrixXd::Identity(omega.cols, omega.cols));
  analysis_ = pad<T>(w.transpose(), padded_rows_);
  adjoint_ = pad<T>(w, padded_cols_);
  synthesis_ = pad<T>(synthesis.transpose(), padded_cols_);
  fidelity_ = pad<T>(fidelity, padded_cols_);
}

template <class T>
void Splitting<T>::iterate(const T* y, T* b, T* x, int iterations) {
  kernels::outer_products<T>(fidelity_.data(), padded_cols_, y, kWidth, cols_, anchor_.data(), false);
  const T bound = static_cast<T>(1 / gamma_);
  for (int k = 0; k < iterations; ++k) {
    std::copy_n(b, padded_rows_ * kWidth, coefficients_.data());
    kernels::outer_products<T>(analysis_.data(), padded_rows_, x, kWidth, cols_, coefficients_.data(), true);
    // With v = Ω X + B, the new B is v clipped to the threshold, and Z − B = v − 2 B.
    kernels::clip_and_reflect<T>(coefficients_.data(), padded_rows_ * kWidth, bound, b, reflected_.data());
    std::copy_n(anchor_.data(), padded_cols_ * kWidth, x);
    kernels::outer_products<T>(synthesis_.data(), padded_cols_, reflected_.data(), kWidth, rows_, x, true);
  }
}

template <class T>
typename Splitting<T>::Gap Splitting<T>::finish(const T* y, const T* b, T* x) {
  kernels::outer_products<T>(adjoint_.data(), padded_cols_, b, kWidth, rows_, x, false);
  Gap out;
  const double weight = gamma_ / lambda_;
  for (std::int64_t i = 0; i < cols_ * kWidth; ++i) {
    const double moved = weight * x[i];
    x[i] = static_cast<T>(y[i] - moved);
    out.objective += lambda_ / 2 * moved * moved;
  }
  kernels::outer_products<T>(analysis_.data(), padded_rows_, x, kWidth, cols_, coefficients_.data(), false);
  const double norm = kernels::absolute_sum<T>(coefficients_.data(), padded_rows_ * kWidth, nullptr);
  double inner = 0;
  for (std::int64_t i = 0; i < padded_rows_ * kWidth; ++i)
    inner += static_cast<double>(b[i]) * coefficients_.data()[i];
  out.objective += norm;
  out.gap = std::max(0.0, norm - gamma_ * inner);
  return out;
}

template class Splitting<float>;
template class Splitting<double>;

}  // namespace parsimony::operators
