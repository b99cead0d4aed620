#include "operators/certificates/denoised_pair.hpp"

#include <algorithm>
#include <cmath>

#include "core/linear_algebra/decompositions.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kSignalsPerSum = 64;
constexpr double kRank = 1e-9;
constexpr double kSame = 1e-9;     // relative size below which a coefficient has no sign
constexpr int kMostChanges = 100;  // limit of the changes to the zeros of a signal

RowMajor rows_of(const RowMajor& omega, const std::vector<std::int64_t>& which) {
  RowMajor out(static_cast<Eigen::Index>(which.size()), omega.cols());
  for (std::size_t k = 0; k < which.size(); ++k) out.row(static_cast<Eigen::Index>(k)) = omega.row(which[k]);
  return out;
}

Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> decompose(const RowMajor& rows) {
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> out;
  out.setThreshold(kRank);
  out.compute(rows.transpose());
  return out;
}

}  // namespace

SignalPattern pattern_of(const RowMajor& omega, const RowMajor& noisy, const RowMajor& denoised,
                         double tolerance) {
  SignalPattern out;
  const RowMajor coefficients = denoised * omega.transpose();
  out.signs = coefficients.cwiseSign();
  out.zeros.resize(noisy.rows());
  const Eigen::VectorXd norms = omega.rowwise().norm();
  for (Eigen::Index j = 0; j < noisy.rows(); ++j) {
    const double size = tolerance * noisy.row(j).norm();
    for (Eigen::Index i = 0; i < omega.rows(); ++i) {
      if (std::abs(coefficients(j, i)) > size * norms[i]) continue;
      out.signs(j, i) = 0;
      out.zeros[j].push_back(i);
    }
  }
  return out;
}

namespace {

struct OneSignal {
  Eigen::VectorXd x, coefficients, multipliers;  // multipliers: N, one for each zero
  std::ptrdiff_t worst = -1;                     // the row whose sign or multiplier is most wrong
};

OneSignal solve_one(const RowMajor& omega, const Eigen::VectorXd& y, const std::vector<std::int64_t>& zeros,
                    const Eigen::VectorXd& signs, double lambda) {
  OneSignal out;
  const Eigen::VectorXd target = y - omega.transpose() * signs / lambda;
  out.x = target;
  double violation = 0;
  if (!zeros.empty()) {
    const RowMajor rows = rows_of(omega, zeros);
    // Ω_Λᵀ N = λ(y − x) − Ωᵀs; the right side is λ times the part that the projection removes.
    const Eigen::VectorXd solution = decompose(rows).solve(target);
    out.x -= rows.transpose() * solution;
    out.multipliers = lambda * solution;
    for (std::size_t k = 0; k < zeros.size(); ++k) {
      const double excess = (std::abs(out.multipliers[static_cast<Eigen::Index>(k)]) - 1) / lambda;
      if (excess > violation) {
        violation = excess;
        out.worst = zeros[k];
      }
    }
  }
  out.coefficients = omega * out.x;
  const double none = kSame * y.norm();
  for (Eigen::Index i = 0; i < omega.rows(); ++i) {
    const double wrong = -out.coefficients[i] * signs[i];
    if (wrong > std::max(none, violation)) {
      violation = wrong;
      out.worst = i;
    }
  }
  return out;
}

}  // namespace

void settle_pattern(const RowMajor& omega, const RowMajor& noisy, SignalPattern& pattern, double lambda,
                    const Context& context) {
  context.for_blocks(noisy.rows(), kSignalsPerSum, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      auto& zeros = pattern.zeros[j];
      const Eigen::VectorXd y = noisy.row(j).transpose();
      for (int round = 0; round < kMostChanges; ++round) {
        const OneSignal one = solve_one(omega, y, zeros, pattern.signs.row(j).transpose(), lambda);
        if (one.worst < 0) break;
        const auto at = std::lower_bound(zeros.begin(), zeros.end(), one.worst);
        if (at != zeros.end() && *at == one.worst) {
          pattern.signs(j, one.worst) = one.multipliers[at - zeros.begin()] > 0 ? 1 : -1;
          zeros.erase(at);
        } else {
          pattern.signs(j, one.worst) = 0;
          zeros.insert(at, one.worst);
        }
      }
    }
  });
}

DenoisedPair solve_pattern(const RowMajor& omega, const RowMajor& noisy, const SignalPattern& pattern,
                           double lambda, const Context& context) {
  const Eigen::Index samples = noisy.rows();
  DenoisedPair out{RowMajor(samples, omega.cols()), pattern.signs};
  struct Part {
    double objective = 0, largest = 0;
    std::int64_t inconsistent = 0;
  };
  std::vector<Part> parts((samples + kSignalsPerSum - 1) / kSignalsPerSum);
  context.for_blocks(samples, kSignalsPerSum, [&](std::int64_t begin, std::int64_t end) {
    Part& part = parts[begin / kSignalsPerSum];
    for (std::int64_t j = begin; j < end; ++j) {
      const auto& zeros = pattern.zeros[j];
      const Eigen::VectorXd y = noisy.row(j).transpose();
      const OneSignal one = solve_one(omega, y, zeros, pattern.signs.row(j).transpose(), lambda);
      for (std::size_t k = 0; k < zeros.size(); ++k) {
        const double n = one.multipliers[static_cast<Eigen::Index>(k)];
        out.multipliers(j, zeros[k]) = n;
        part.largest = std::max(part.largest, std::abs(n));
      }
      part.inconsistent += one.worst >= 0;
      part.objective += one.coefficients.cwiseAbs().sum() + lambda / 2 * (y - one.x).squaredNorm();
      out.signals.row(j) = one.x.transpose();
    }
  });
  for (const Part& part : parts) {
    out.objective += part.objective;
    out.largest = std::max(out.largest, part.largest);
    out.inconsistent += part.inconsistent;
  }
  return out;
}

// For each signal, with v = Δ_Λ x, P = Ω_Λ⁺, Z a basis of the null space of Ω_Λ and Ξ's part ξ = −P v + Z z
// minimised over z: λ‖P v‖² − 2⟨Δᵀu, P v⟩ − ‖ZᵀΔᵀu‖² / λ.
Eigen::MatrixXd second_order_form(const RowMajor& omega, const SignalPattern& pattern,
                                  const DenoisedPair& pair, double lambda, const RowMajor& symmetric,
                                  const Eigen::VectorXd& diagonal, const Context& context) {
  const Eigen::Index a = omega.rows(), n = omega.cols();
  Eigen::MatrixXd form = Eigen::MatrixXd::Zero(a * n, a * n);
  for (Eigen::Index i = 0; i < a; ++i) {
    form.block(i * n, i * n, n, n) = -symmetric;
    form.block(i * n, i * n, n, n).diagonal().array() -= diagonal[i];
  }
  for (Eigen::Index j = 0; j < pair.signals.rows(); ++j) {
    context.check_cancelled();
    const Eigen::VectorXd x = pair.signals.row(j).transpose(), u = pair.multipliers.row(j).transpose();
    const auto& zeros = pattern.zeros[j];
    Eigen::MatrixXd free = Eigen::MatrixXd::Identity(n, n);  // ZZᵀ
    if (!zeros.empty()) {
      const RowMajor rows = rows_of(omega, zeros);
      const auto decomposition = decompose(rows);
      const Eigen::MatrixXd inverse = decomposition.pseudoInverse().transpose();  // P, n × |Λ|
      free -= inverse * rows;
      const Eigen::MatrixXd gram = lambda * inverse.transpose() * inverse, outer = x * x.transpose();
      for (std::size_t k = 0; k < zeros.size(); ++k) {
        const auto at = static_cast<Eigen::Index>(k);
        for (std::size_t l = 0; l < zeros.size(); ++l) {
          form.block(zeros[k] * n, zeros[l] * n, n, n) += gram(at, static_cast<Eigen::Index>(l)) * outer;
        }
        const Eigen::MatrixXd cross = inverse.col(at) * x.transpose();
        for (Eigen::Index i = 0; i < a; ++i) {
          form.block(i * n, zeros[k] * n, n, n) -= u[i] * cross;
          form.block(zeros[k] * n, i * n, n, n) -= u[i] * cross.transpose();
        }
      }
    }
    for (Eigen::Index i = 0; i < a; ++i) {
      for (Eigen::Index k = 0; k < a; ++k) form.block(i * n, k * n, n, n) -= u[i] * u[k] / lambda * free;
    }
  }
  return form;
}

}  // namespace parsimony::operators
