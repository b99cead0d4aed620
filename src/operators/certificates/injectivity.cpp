#include "operators/certificates/injectivity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/linear_algebra/decompositions.hpp"
#include "operators/frames/eigen_map.hpp"

namespace parsimony::operators {
namespace {

constexpr double kThresholds[] = {1e-9, 1e-3};  // relative to the largest eigenvalue
constexpr std::int64_t kMostLost = 1024;        // directions: a dense eigenproblem of that size
constexpr double kLostDirection = 1e-10;        // σ² below which a direction counts as lost

struct Direction {
  std::int64_t row;
  Eigen::VectorXd vector;
};

// σ² of Δ ↦ sym(ΩᵀΔ) on the span of the directions, whose Gram matrix this is; infinite where there is none.
double least_square(const RowMajor& omega, const std::vector<Direction>& directions) {
  const auto count = static_cast<Eigen::Index>(directions.size());
  if (count == 0) return std::numeric_limits<double>::infinity();
  Eigen::MatrixXd gram(count, count);
  const RowMajor inner = omega * omega.transpose();
  Eigen::MatrixXd vectors(omega.cols(), count);
  for (Eigen::Index k = 0; k < count; ++k) vectors.col(k) = directions[k].vector;
  const Eigen::MatrixXd of_vectors = vectors.transpose() * vectors, across = omega * vectors;
  for (Eigen::Index k = 0; k < count; ++k) {
    for (Eigen::Index l = 0; l < count; ++l) {
      const std::int64_t i = directions[k].row, j = directions[l].row;
      gram(k, l) = (inner(i, j) * of_vectors(k, l) + across(i, l) * across(j, k)) / 2;
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
  return solver.eigenvalues()[0];
}

}  // namespace

Injectivity injectivity(MatrixView<const double> omega, const Matrix<double>& blocks, double largest_signal,
                        const Context& context) {
  const std::int64_t a = omega.rows, n = omega.cols;
  const RowMajor w = as_eigen(omega);
  // The n − 1 eigenpairs of each H_i on w_i⊥, ascending.
  std::vector<Eigen::VectorXd> values(a);
  std::vector<Eigen::MatrixXd> vectors(a);
  context.for_blocks(a, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      RowMajor h = as_eigen(MatrixView<const double>(blocks.row(i * n).data(), n, n));
      const Eigen::VectorXd unit = w.row(i).transpose().normalized();
      const double above = h.trace() > 0 ? 2 * h.trace() : 1;  // puts w_i last
      const Eigen::VectorXd image = h * unit;
      h -= unit * image.transpose() + image * unit.transpose();
      h += (unit.dot(image) + above) * unit * unit.transpose();
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(h);
      values[i] = solver.eigenvalues().head(n - 1);
      vectors[i] = solver.eigenvectors().leftCols(n - 1);
    }
  });
  Injectivity out;
  for (std::int64_t i = 0; i < a; ++i) {
    const double trace = as_eigen(MatrixView<const double>(blocks.row(i * n).data(), n, n)).trace();
    // A part along w_i comes only from zeros that are not exact.
    out.largest =
        std::max({out.largest, n > 1 ? values[i][n - 2] * (1 + 1e-6) : 0.0, trace / static_cast<double>(n)});
  }
  if (blocks.size() == 0 || as_eigen(blocks.view()).squaredNorm() == 0) return {};  // no zeros at all
  for (const double threshold : kThresholds) {
    std::vector<Direction> lost;
    double kept = std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < a; ++i) {
      for (std::int64_t k = 0; k < n - 1; ++k) {
        if (values[i][k] > threshold * out.largest) {
          kept = std::min(kept, values[i][k]);
        } else {
          lost.push_back({i, vectors[i].col(k)});
        }
      }
    }
    if (std::ssize(lost) > std::min(kMostLost, n * (n + 1) / 2)) {
      out.undecided = !out.injective && std::ssize(lost) <= n * (n + 1) / 2;
      break;
    }
    context.check_cancelled();
    const double square = least_square(w, lost);
    if (!(square > kLostDirection)) break;  // more directions only lower it
    out.injective = true;
    if (!std::isfinite(kept)) kept = 0;
    const double shrunk = 1 / std::sqrt(1 + 1 / square);
    out.lower = std::max({out.lower, std::sqrt(kept) * shrunk,
                          largest_signal > 0 ? kept / largest_signal * shrunk * shrunk : 0.0});
  }
  return out;
}

}  // namespace parsimony::operators
