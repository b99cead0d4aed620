// Where the eigenvalues of a Laplacian lie, without computing any: Chebyshev moments of random signals.
//
// μ_m = tr T_m(L̃) is estimated by the mean of xᵀ T_m(L̃) x over Rademacher signals x, and T_{2m} = 2 T_m² − 1,
// T_{2m+1} = 2 T_{m+1} T_m − T_1 yield two moments from each product. Every smooth spectral count is a sum of
// moments: one pass serves all λ, where a bisection [tremblay2016compressive] (section 4) filters again for
// each λ it tries. Kernel polynomial method: [weisse2006kernel, dinapoli2016efficient].
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::spectral {

struct DensityOptions {
  int order = 50;  ///< products with L; moments up to 2 · order, so a resolution of about lambda_max / order
  int signals =
      16;  ///< standard error of a count k is about √(2 k / signals); rounded up to a multiple of 16
  std::uint64_t seed = 0;
};

template <OptionsOf<DensityOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"order", "products with the Laplacian, half the highest moment", 1, 100000}, options.order);
  visit(Field{"signals", "random signals", 1, 1 << 20}, options.signals);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

class SpectralDensity {
 public:
  /// moments: one row per signal, μ_0..μ_{2 order}, with μ_0 the number of eigenvalues counted.
  SpectralDensity(Matrix<double> moments, double lambda_max);

  double lambda_max() const { return lambda_max_; }
  int order() const { return static_cast<int>(moments_.cols() - 1) / 2; }
  const Matrix<double>& moments() const { return moments_; }
  const std::vector<double>& mean_moments() const { return mean_; }

  /// Estimated number of eigenvalues of at most λ: tr h(L) for the Jackson–Chebyshev low-pass h of degree 2 ·
  /// order. Never decreasing in λ. O(order).
  double count(double lambda) const;
  /// Standard error of count(λ) over the signals; 0 when there is one signal only.
  double standard_error(double lambda) const;
  /// Smallest λ with count(λ) ≥ k, by bisection to 1e-6 · lambda_max, lambda_max when there is none; no
  /// further products.
  double eigenvalue(double k) const;
  /// ‖h(L) X‖² / signals for the low-pass h of degree `order` and cut-off λ: what one filter pass over the
  /// same signals would measure, exactly (up to rounding). The paper's count. O(order²).
  double filtered_energy(double lambda) const;

 private:
  std::vector<double> step(double lambda) const;

  Matrix<double> moments_;
  std::vector<double> mean_;
  std::vector<double> damping_;
  double lambda_max_;
};

/// The density of the eigenvalues of the nodes with edges. A node without edges is an eigenvector of its own
/// (of eigenvalue 0, or 1 where τ > 0), known without counting; were the many of some graphs counted among
/// the lowest, no cut-off could be told from 0. O(order · E · signals) time, two panels of N × 16 floats, or
/// as wide as the signals are, up to 64.
SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options = {},
                                 const Context& context = Context{});

/// Sees every term of the recurrence on the way: T_term(L̃) X for term = 0..order, of the signals first.. of
/// one panel, whose row i is to be multiplied by laplacian.scale[i]. X has independent entries ±1, rows of
/// nodes without edges are 0.
using TermObserver = std::function<void(std::int64_t first, int term, MatrixView<const float> panel)>;

/// The same density; panels are 64 signals wide where there are as many.
SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options,
                                 const Context& context, const TermObserver& observe);

/// The paper's estimate of the k-th smallest eigenvalue, kept as the reference: with q = 2 round(ln N)
/// Gaussian signals of variance 1/q, bisection on [0, lambda_max] until round(‖h_λ(L) R‖_F²) = k or (hi −
/// lo)/hi ≤ 0.1, a filter pass each; mean of two estimates from fresh signals. Nodes without edges are left
/// out as above. O(order · E · ln N) time for each λ tried, three panels of N × 2 round(ln N) floats, rounded
/// up to whole cache lines.
double lambda_k_by_bisection(const graph::Laplacian& laplacian, std::int64_t k, int order = 50,
                             std::uint64_t seed = 0, const Context& context = Context{});

}  // namespace parsimony::spectral
