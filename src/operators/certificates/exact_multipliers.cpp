#include "operators/certificates/exact_multipliers.hpp"

#include <cmath>
#include <limits>

#include "operators/frames/eigen_map.hpp"

namespace parsimony::operators {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::max();
// Upper bound of s: keeps the program bounded when G has no part in T, where max|M| = 1 / s would be 0.
constexpr double kMost = 1e4;

}  // namespace

ExactMultipliers exact_multipliers(MatrixView<const double> omega, MatrixView<const float> signals,
                                   const ZeroPattern& pattern, const Context& context) {
  const std::int64_t a = omega.rows, n = omega.cols;
  const auto zeros = static_cast<std::int64_t>(pattern.signals.size());
  // Scales the rows to coefficients of about 1: M Xᵀ and s G are divided by the mean length of a signal.
  double square = 0;
  for (const std::int64_t j : pattern.signals) {
    for (const float value : signals.row(j)) square += static_cast<double>(value) * value;
  }
  const double unit = square > 0 ? std::sqrt(square / static_cast<double>(zeros)) : 1;
  LinearProgram program(a * n);
  program.column(-1, 0, kMost);
  for (std::int64_t i = 0; i < a; ++i) {
    for (std::int64_t c = 0; c < n; ++c) program.add(i * n + c, pattern.gradient(i, c) / unit);
  }
  for (std::int64_t i = 0; i < a; ++i) {
    for (std::int64_t k = pattern.offsets[i]; k < pattern.offsets[i + 1]; ++k) {
      program.column(0, -1, 1);
      for (std::int64_t c = 0; c < n; ++c) {
        program.add(i * n + c, static_cast<double>(signals(pattern.signals[k], c)) / unit);
      }
    }
  }
  add_normal_space(omega, program);

  const LinearSolution solution = solve(program, context);
  ExactMultipliers out;
  out.iterations = solution.iterations;
  out.solved = solution.optimal;
  if (!out.solved) return out;
  const double s = solution.primal[0];
  out.largest = s > 0 ? 1 / s : std::numeric_limits<double>::infinity();
  if (s > 1 / kMost) {
    out.multipliers.resize(zeros);
    for (std::int64_t k = 0; k < zeros; ++k) out.multipliers[k] = solution.primal[1 + k] / s;
  }
  out.direction = Matrix<double>(a, n);
  for (std::int64_t k = 0; k < a * n; ++k) out.direction.data()[k] = solution.dual[k] / unit;
  const double along = as_eigen(out.direction.view()).cwiseProduct(as_eigen(pattern.gradient.view())).sum();
  if (along > 0) as_eigen(out.direction.view()) *= -1;
  return out;
}

void add_normal_space(MatrixView<const double> omega, LinearProgram& program) {
  const std::int64_t a = omega.rows, n = omega.cols;
  for (std::int64_t p = 0; p < n; ++p) {
    for (std::int64_t q = 0; q <= p; ++q) {
      program.column(0, -kInfinity, kInfinity);
      for (std::int64_t i = 0; i < a; ++i) {
        program.add(i * n + q, omega(i, p));
        if (p != q) program.add(i * n + p, omega(i, q));
      }
    }
  }
  // D = I has the same effect as S = −I, so one row needs no column in D.
  for (std::int64_t i = 1; i < a; ++i) {
    program.column(0, -kInfinity, kInfinity);
    for (std::int64_t c = 0; c < n; ++c) program.add(i * n + c, omega(i, c));
  }
}

}  // namespace parsimony::operators
