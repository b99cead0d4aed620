// Computes the signals that are optimal for an operator, given their zeros and signs.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::operators {

// The zeros Λ_j and signs s_j of each signal j, from which the rest follows.
struct SignalPattern {
  std::vector<std::vector<std::int64_t>> zeros;
  RowMajor signs;  // samples × a, 0 on Λ
};

struct DenoisedPair {
  RowMajor signals;      // X, samples × n
  RowMajor multipliers;  // U = S + N, samples × a
  double objective = 0;
  double largest = 0;             // |N|
  std::int64_t inconsistent = 0;  // signals with a wrong sign, or |N| > 1
};

SignalPattern pattern_of(const RowMajor& omega, const RowMajor& noisy, const RowMajor& denoised,
                         double tolerance);

/// Moves single rows in or out of Λ_j, the worst first, until signs and |N| ≤ 1 fit. This corrects
/// coefficients that the tolerance counted as zero wrongly, and the reverse.
void settle_pattern(const RowMajor& omega, const RowMajor& noisy, SignalPattern& pattern, double lambda,
                    const Context& context);

/// x_j = Π(y_j − Ωᵀs_j / λ), Π on the null space of the rows in Λ_j, and the multipliers of least norm.
DenoisedPair solve_pattern(const RowMajor& omega, const RowMajor& noisy, const SignalPattern& pattern,
                           double lambda, const Context& context);

/// The second-order form as an a n × a n matrix. symmetric (n × n) and diagonal: the S and D of U Xᵀ by
/// TangentSpace::project.
Eigen::MatrixXd second_order_form(const RowMajor& omega, const SignalPattern& pattern,
                                  const DenoisedPair& pair, double lambda, const RowMajor& symmetric,
                                  const Eigen::VectorXd& diagonal, const Context& context);

}  // namespace parsimony::operators
