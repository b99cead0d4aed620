#include "operators/learning/penalty_objective.hpp"

#include <algorithm>
#include <vector>

#include "kernels/log_penalty.hpp"
#include "kernels/matrix_product.hpp"
#include "kernels/round_up.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kSamples = 128;  // per product: their coefficients stay in the second-level cache
constexpr std::int64_t kTile = 4 * kSamples;  // samples summed in T
constexpr std::int64_t kFewest = 2 * kTile;   // samples of a task, at least
constexpr std::int64_t kMostPenaltyTasks = 64;

}  // namespace

template <class T>
double penalty_objective(MatrixView<const T> samples, MatrixView<const double> analysis, double nu,
                         MatrixView<double> gradient, const Context& context) {
  const std::int64_t rows = analysis.rows, n = analysis.cols;
  const std::int64_t width = kernels::round_up(n, kernels::kProductColumns<T>);
  const std::int64_t height = kernels::round_up(rows, kernels::kProductColumns<T>);
  Matrix<T> transposed(n, height);  // padded by rows of zeros, whose penalty is 0
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t t = 0; t < n; ++t) transposed(t, i) = static_cast<T>(analysis(i, t));
  }
  const bool packed = samples.stride == width && samples.cols == width;

  const std::int64_t task =
      kernels::round_up(std::max(kFewest, (samples.rows + kMostPenaltyTasks - 1) / kMostPenaltyTasks), kTile);
  std::vector<Matrix<double>> partial((samples.rows + task - 1) / task);
  const double value = context.sum_blocks(samples.rows, task, [&](std::int64_t begin, std::int64_t end) {
    Matrix<T> coefficients(kSamples, height), block(packed ? 0 : kSamples, width), slope(rows, width);
    Matrix<double> sum(rows, width);
    double penalty = 0;
    for (std::int64_t tile = begin; tile < end; tile += kTile) {
      const std::int64_t last = std::min(end, tile + kTile);
      for (std::int64_t s = tile; s < last; s += kSamples) {
        const std::int64_t count = std::min(kSamples, last - s);
        const T* x = samples.row_data(s);
        if (!packed) {
          for (std::int64_t i = 0; i < count; ++i) {
            std::copy_n(samples.row_data(s + i), n, block.row(i).data());
          }
          x = block.data();
        }
        kernels::matrix_product<T>({x, width, 1}, count, n, transposed.data(), height, coefficients.data(),
                                   false);
        penalty += kernels::log_penalty<T>(coefficients.data(), count * height, static_cast<T>(nu),
                                           coefficients.data());
        kernels::matrix_product<T>({coefficients.data(), 1, height}, rows, count, x, width, slope.data(),
                                   s > tile);
      }
      const T* from = slope.data();
      double* to = sum.data();
      for (std::int64_t v = 0; v < sum.size(); ++v) to[v] += static_cast<double>(from[v]);
    }
    partial[begin / task] = std::move(sum);
    return penalty;
  });

  for (std::int64_t i = 0; i < rows; ++i) {
    std::fill_n(gradient.row_data(i), n, 0.0);
    for (const Matrix<double>& sum : partial) {
      for (std::int64_t t = 0; t < n; ++t) gradient(i, t) += sum(i, t);
    }
  }
  return value;
}

template double penalty_objective(MatrixView<const float>, MatrixView<const double>, double,
                                  MatrixView<double>, const Context&);
template double penalty_objective(MatrixView<const double>, MatrixView<const double>, double,
                                  MatrixView<double>, const Context&);

}  // namespace parsimony::operators
