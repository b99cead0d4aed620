// The density of the eigenvalues of a Laplacian, from Chebyshev moments of random signals and without
// computing an eigenvalue: the kernel polynomial method [weisse2006kernel, dinapoli2016efficient].
//
// μ_m = tr T_m(L̃) is estimated by the mean of xᵀ T_m(L̃) x over Rademacher signals x. T_{2m} = 2 T_m² − 1 and
// T_{2m+1} = 2 T_{m+1} T_m − T_1 yield two moments from each product. Every smooth spectral count is a sum of
// moments, so that one pass serves all λ, while a bisection [tremblay2016compressive] (section 4) filters
// again for each λ that it tries.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::spectral {

struct DensityOptions {
  int order = 50;  ///< products with L; moments up to 2 · order give a resolution of about lambda_max / order
  int signals =
      16;  ///< rounded up to a multiple of 16; the standard error of a count k is about √(2 k / signals)
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
  /// order. It never decreases with λ. O(order) time.
  double count(double lambda) const;
  /// Standard error of count(λ) over the signals; 0 when there is one signal only.
  double standard_error(double lambda) const;
  /// Smallest λ with count(λ) ≥ k, by bisection to 1e-6 · lambda_max; lambda_max if none has. Needs no
  /// further products.
  double eigenvalue(double k) const;
  /// ‖h(L) X‖² / signals for the low-pass h of degree `order` and cut-off λ, the count of the paper: up to
  /// rounding, the value that one filter pass over the same signals measures. O(order²) time.
  double filtered_energy(double lambda) const;

 private:
  std::vector<double> step(double lambda) const;

  Matrix<double> moments_;
  std::vector<double> mean_;
  std::vector<double> damping_;
  double lambda_max_;
};

/// The density of the eigenvalues, without the nodes that have no edges. Such a node is an eigenvector by
/// itself (with eigenvalue 0, or 1 if τ > 0). Some graphs have so many of them that, counted among the lowest
/// eigenvalues, they would hide every cut-off. O(order · E · signals) time, two panels of N × 16 floats, or
/// as wide as the signals are, up to 64.
SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options = {},
                                 const Context& context = Context{});

/// Receives every term of the recurrence: T_term(L̃) X for term = 0..order, for the signals from `first` on of
/// one panel. Row i of the panel must be multiplied by the scale of row i. X has independent entries ±1; the
/// rows of nodes without edges are 0.
using TermObserver = std::function<void(std::int64_t first, int term, MatrixView<const float> panel)>;

/// The same density, shown to `observe` term by term; an empty function observes nothing. Panels are up to 64
/// signals wide.
SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options,
                                 const TermObserver& observe, const Context& context = Context{});

/// The same for an operator whose rows may be shared out over processes; `observe` sees the rows of its own.
SpectralDensity spectral_density(const Operator& op, const DensityOptions& options = {},
                                 const TermObserver& observe = {}, const Context& context = Context{});

/// The paper's estimate of the k-th smallest eigenvalue, kept as the reference. With q = 2 round(ln N)
/// Gaussian signals of variance 1/q, it bisects [0, lambda_max] until round(‖h_λ(L) R‖_F²) = k or (hi −
/// lo)/hi ≤ 0.1, with one filter pass per step, and returns the mean of two estimates from fresh signals.
/// Nodes without edges are left out as above. O(order · E · ln N) time for each λ tried, three panels of N ×
/// 2 round(ln N) floats, rounded up to whole cache lines.
double lambda_k_by_bisection(const graph::Laplacian& laplacian, std::int64_t k, int order = 50,
                             std::uint64_t seed = 0, const Context& context = Context{});

/// The same for an operator in one process; throws unsupported for several.
double lambda_k_by_bisection(const Operator& op, std::int64_t k, int order = 50, std::uint64_t seed = 0,
                             const Context& context = Context{});

}  // namespace parsimony::spectral
