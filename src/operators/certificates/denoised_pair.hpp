// Signals that are optimal for an operator, once their zeros and signs are known.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::operators {

// Of each signal j: its zeros Λ_j and signs s_j, from which the rest follows.
struct SignalPattern {
  std::vector<std::vector<std::int64_t>> zeros;
  RowMajor signs;  // samples × a, 0 on Λ
};

struct DenoisedPair {
  RowMajor signals;      // X, samples × n
  RowMajor multipliers;  // U = S + N, samples × a
  double objective = 0;
  double largest = 0;             // |N|
  std::int64_t inconsistent = 0;  // signals with a sign that is not theirs, or |N| > 1
};

SignalPattern pattern_of(const RowMajor& omega, const RowMajor& noisy, const RowMajor& denoised,
                         double tolerance);

/// Moves single rows in and out of Λ_j, worst first, until signs and |N| ≤ 1 fit: what the tolerance took for
/// zero and is not, and the other way round.
void settle_pattern(const RowMajor& omega, const RowMajor& noisy, SignalPattern& pattern, double lambda,
                    const Context& context);

/// x_j = Π(y_j − Ωᵀs_j / λ), Π on the null space of the rows in Λ_j, and the multipliers of least norm.
DenoisedPair solve_pattern(const RowMajor& omega, const RowMajor& noisy, const SignalPattern& pattern,
                           double lambda, const Context& context);

/// The second-order form as an a n × a n matrix; symmetric (n × n) and diagonal as TangentSpace::project
/// gives them of U Xᵀ.
Eigen::MatrixXd second_order_form(const RowMajor& omega, const SignalPattern& pattern,
                                  const DenoisedPair& pair, double lambda, const RowMajor& symmetric,
                                  const Eigen::VectorXd& diagonal, const Context& context);

}  // namespace parsimony::operators
