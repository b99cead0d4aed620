#include "operators/learning/l1_analysis.hpp"

#include <algorithm>
#include <vector>

#include "kernels/absolute_values.hpp"
#include "kernels/outer_products.hpp"
#include "kernels/round_up.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kSignalsPerProduct = 128;  // signals, coefficients and sums stay in the cache
constexpr std::int64_t kFewestPerTask = 16 * kSignalsPerProduct;
constexpr std::int64_t kMostTasks = 32;  // every task has its own sum

}  // namespace

L1Analysis::L1Analysis(MatrixView<const float> signals)
    : samples_(signals.rows),
      cols_(signals.cols),
      padded_cols_(kernels::round_up(signals.cols, kernels::kOuterRows)),
      signals_(kernels::round_up(signals.rows, kSignalsPerProduct), padded_cols_),
      transposed_(kernels::round_up(signals.rows, kSignalsPerProduct) / kSignalsPerProduct,
                  cols_ * kSignalsPerProduct) {
  for (std::int64_t s = 0; s < samples_; ++s) {
    float* column = transposed_.row(s / kSignalsPerProduct).data() + s % kSignalsPerProduct;
    for (std::int64_t c = 0; c < cols_; ++c) {
      signals_(s, c) = signals(s, c);
      column[c * kSignalsPerProduct] = signals(s, c);
    }
  }
}

double L1Analysis::evaluate(MatrixView<const double> omega, Matrix<double>* gradient,
                            const Context& context) const {
  const std::int64_t width = kernels::round_up(omega.rows, kernels::kOuterColumns<float>);
  Matrix<float> analysis(cols_, width);  // Ωᵀ
  for (std::int64_t i = 0; i < omega.rows; ++i) {
    for (std::int64_t c = 0; c < cols_; ++c) analysis(c, i) = static_cast<float>(omega(i, c));
  }
  const std::int64_t per_task = kernels::round_up(
      std::max(kFewestPerTask, (samples_ + kMostTasks - 1) / kMostTasks), kSignalsPerProduct);
  std::vector<Matrix<double>> sums((samples_ + per_task - 1) / per_task);
  const double objective = context.sum_blocks(samples_, per_task, [&](std::int64_t begin, std::int64_t end) {
    Matrix<float> coefficients(kSignalsPerProduct, width), product(padded_cols_, width);
    Matrix<double> sum(gradient ? padded_cols_ : 0, width);
    double norm = 0;
    for (std::int64_t s = begin; s < end; s += kSignalsPerProduct) {
      const std::int64_t used = std::min(kSignalsPerProduct, end - s);
      kernels::outer_products<float>(transposed_.row(s / kSignalsPerProduct).data(), kSignalsPerProduct,
                                     analysis.data(), width, cols_, coefficients.data(), false);
      norm += kernels::absolute_sum<float>(coefficients.data(), used * width,
                                           gradient ? coefficients.data() : nullptr);
      if (!gradient) continue;
      kernels::outer_products<float>(signals_.row(s).data(), padded_cols_, coefficients.data(), width, used,
                                     product.data(), false);
      for (std::int64_t i = 0; i < sum.size(); ++i) sum.data()[i] += product.data()[i];
    }
    sums[begin / per_task] = std::move(sum);
    return norm;
  });
  if (gradient) {
    *gradient = Matrix<double>(omega.rows, cols_);
    for (const Matrix<double>& sum : sums) {
      for (std::int64_t i = 0; i < omega.rows; ++i) {
        for (std::int64_t c = 0; c < cols_; ++c) (*gradient)(i, c) += sum(c, i);
      }
    }
  }
  return objective;
}

}  // namespace parsimony::operators
