#include "operators/learning/oblique_objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/linear_algebra/decompositions.hpp"
#include "kernels/matrix_product.hpp"
#include "kernels/round_up.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/learning/penalty_objective.hpp"

namespace parsimony::operators {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::int64_t padded(std::int64_t count) {
  return kernels::round_up(count, kernels::kProductColumns<double>);
}

Matrix<double> padded(MatrixView<const double> from, bool transposed) {
  Matrix<double> out(transposed ? from.cols : from.rows, padded(transposed ? from.rows : from.cols));
  for (std::int64_t i = 0; i < from.rows; ++i) {
    for (std::int64_t t = 0; t < from.cols; ++t) (transposed ? out(t, i) : out(i, t)) = from(i, t);
  }
  return out;
}

// a · b for b padded: a.rows × b.cols().
Matrix<double> product(const kernels::ProductFactor<double>& a, std::int64_t rows, const Matrix<double>& b) {
  Matrix<double> out(rows, b.cols());
  kernels::matrix_product<double>(a, rows, b.rows(), b.data(), b.cols(), out.data(), false);
  return out;
}

void add(Matrix<double>& to, double factor, const Matrix<double>& from) {
  for (std::int64_t i = 0; i < to.rows(); ++i) {
    for (std::int64_t t = 0; t < to.cols(); ++t) to(i, t) += factor * from(i, t);
  }
}

double log_determinant(const Matrix<double>& w, const Matrix<double>& rows, double factor,
                       Matrix<double>& gradient) {
  const std::int64_t m = w.cols();
  const Matrix<double> gram = product({w.data(), 1, m}, m, rows);
  const Eigen::LLT<RowMajor> cholesky(
      RowMajor(as_eigen(MatrixView<const double>(gram.data(), m, m, gram.cols()))));
  if (cholesky.info() != Eigen::Success) return kNaN;
  double sum = 0;
  for (std::int64_t t = 0; t < m; ++t) sum += 2 * std::log(cholesky.matrixLLT()(t, t));
  Matrix<double> inverse(m, padded(m));
  as_eigen(MatrixView<double>(inverse.data(), m, m, inverse.cols())) =
      cholesky.solve(RowMajor::Identity(m, m));
  add(gradient, 2 * factor, product({w.data(), m, 1}, w.rows(), inverse));
  return factor * sum;
}

// Σ_{i≠j} log(1 − <w_i, w_j>²)
double log_coherences(const Matrix<double>& w, const Matrix<double>& rows, double factor,
                      Matrix<double>& gradient) {
  constexpr std::int64_t kFactors = 8;  // per logarithm: none is below 2^-53, so no product underflows
  const std::int64_t a = w.rows(), m = w.cols();
  Matrix<double> inner = product({w.data(), m, 1}, a, padded(w.view(), true));
  double sum = 0;
  for (std::int64_t i = 0; i < a; ++i) {
    double* row = inner.row(i).data();
    row[i] = 0;
    for (std::int64_t first = 0; first < a; first += kFactors) {
      double left = 1;
      for (std::int64_t j = first; j < std::min(a, first + kFactors); ++j) {
        const double apart = (1 - row[j]) * (1 + row[j]);
        if (!(apart > 0)) return kNaN;
        left *= apart;
        row[j] /= apart;
      }
      sum += std::log(left);
    }
  }
  // The sum over i ≠ j counts each pair twice.
  add(gradient, -4 * factor, product({inner.data(), inner.cols(), 1}, a, rows));
  return factor * sum;
}

}  // namespace

double frame_penalties(const Matrix<double>& w, const ObliqueWeights& weights, Matrix<double>& gradient) {
  const auto a = static_cast<double>(w.rows()), m = static_cast<double>(w.cols());
  const Matrix<double> rows = padded(w.view(), false);
  double value = 0;
  if (weights.kappa > 0 && w.cols() > 1) {
    value += log_determinant(w, rows, -weights.kappa / (m * std::log(m)), gradient);
  }
  if (weights.mu > 0 && w.rows() > 1) {
    value += log_coherences(w, rows, -2 * weights.mu / (a * a - a), gradient);
  }
  return value;
}

template <class T>
ObliqueObjective<T>::ObliqueObjective(MatrixView<const T> samples_, std::int64_t rows,
                                      MatrixView<const double> basis, const Context& context)
    : samples(samples_),
      rows_(rows),
      dimension_(basis.rows ? basis.cols : samples_.cols),
      w_(rows, dimension_),
      w_gradient_(rows, dimension_),
      slopes_(rows, samples_.cols),
      norms_(rows),
      context_(context) {
  if (basis.rows) {
    basis_ = padded(basis, false);
    transposed_basis_ = padded(basis, true);
  }
}

template <class T>
double ObliqueObjective<T>::normalize(std::span<const double> u) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < rows_; ++i) {
    const double* row = u.data() + i * dimension_;
    double squares = 0;
    for (std::int64_t t = 0; t < dimension_; ++t) squares += row[t] * row[t];
    norms_[i] = std::sqrt(squares);
    least = std::min(least, norms_[i]);
    for (std::int64_t t = 0; t < dimension_; ++t) w_(i, t) = row[t] / norms_[i];
  }
  return least;
}

template <class T>
double ObliqueObjective<T>::operator()(std::span<const double> u, std::span<double> gradient) {
  if (!(normalize(u) > 0)) return kNaN;
  std::fill_n(w_gradient_.data(), w_gradient_.size(), 0.0);
  double value = frame_penalties(w_, weights, w_gradient_);
  if (!std::isfinite(value)) return kNaN;  // the samples cannot change that

  const double share =
      1 / (static_cast<double>(dimension_) * static_cast<double>(std::max<std::int64_t>(samples.rows, 1)));
  if (basis_.rows()) {
    const Matrix<double> whole = product({w_.data(), dimension_, 1}, rows_, transposed_basis_);
    value += share * penalty_objective<T>(samples, {whole.data(), rows_, samples.cols, whole.cols()},
                                          weights.nu, slopes_, context_);
    add(w_gradient_, share, product({slopes_.data(), samples.cols, 1}, rows_, basis_));
  } else {
    value += share * penalty_objective<T>(samples, w_, weights.nu, slopes_, context_);
    add(w_gradient_, share, slopes_);
  }

  for (std::int64_t i = 0; i < rows_; ++i) {
    double along = 0;
    for (std::int64_t t = 0; t < dimension_; ++t) along += w_(i, t) * w_gradient_(i, t);
    for (std::int64_t t = 0; t < dimension_; ++t) {
      gradient[i * dimension_ + t] = (w_gradient_(i, t) - along * w_(i, t)) / norms_[i];
    }
  }
  return value;
}

template <class T>
Matrix<double> ObliqueObjective<T>::analysis(std::span<const double> u) {
  normalize(u);
  if (!basis_.rows()) return w_;
  const Matrix<double> whole = product({w_.data(), dimension_, 1}, rows_, transposed_basis_);
  Matrix<double> out(rows_, samples.cols);
  for (std::int64_t i = 0; i < rows_; ++i) std::copy_n(whole.row(i).data(), out.cols(), out.row(i).data());
  return out;
}

template class ObliqueObjective<float>;
template class ObliqueObjective<double>;

}  // namespace parsimony::operators
