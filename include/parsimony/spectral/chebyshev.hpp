// Polynomial graph filters: Chebyshev expansions of a low-pass, and the recurrence that applies them.
//
// A filter h is a polynomial of the Laplacian L, h(L) = Σ_j c_j T_j(L̃) with L̃ = (2/lambda_max) L − I, so that
// it costs `order` products with L and needs no eigenvector. The recurrence T_{j+1} = 2 L̃ T_j − T_{j−1} runs
// on panels of signals through any operator with the fused step below. LaplacianOperator is the one in shared
// memory; others may live on several machines.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::spectral {

/// Factors g_0..g_order that damp the Gibbs oscillations of a truncated expansion; the damped expansion of a
/// function with values in [0, 1] has values in [0, 1] [dinapoli2016efficient] (section 3).
std::vector<double> jackson_damping(int order);

/// Coefficients c_0..c_order of the Jackson–Chebyshev expansion of the ideal low-pass (1 on [0, cutoff], 0
/// above) on [0, lambda_max]. h(cutoff) is 1/2, except near the ends of the spectrum. The step falls from 0.9
/// to 0.1 over 3.8 lambda_max / order in the middle of the spectrum, and over 2.3 lambda_max / order around a
/// tenth of lambda_max. O(order) time.
std::vector<double> low_pass(double cutoff, double lambda_max, int order);

/// One minus a filter. The complement of a low-pass is the high-pass with the same cut-off.
std::vector<double> complement(std::vector<double> coefficients);

/// Σ_j c_j T_j(2 λ / lambda_max − 1), by Clenshaw's recurrence. O(order) time.
double evaluate(std::span<const double> coefficients, double lambda_max, double lambda);

/// One fused step for all rows and the columns of a panel computes
///   next = 2 L̃ current − previous, stored in place of previous (next = L̃ current when first);
///   accumulator += coefficient · next, if it is not null;
///   squares[c] = ⟨next_c, next_c⟩ and products[c] = ⟨next_c, current_c⟩, if they are not empty (both or
///   neither).
struct FusedStep {
  MatrixView<const float> current;
  MatrixView<float> previous;
  bool first = false;
  MatrixView<float>* accumulator = nullptr;
  double coefficient = 0;
  std::span<double> squares;
  std::span<double> products;
};

/// A symmetric operator with spectrum in [0, lambda_max], in a similarity-scaled form: a signal x of the
/// operator is the panel row_scale⁻¹ x (see graph::Laplacian).
template <class Op>
concept ChebyshevOperator = requires(const Op& op, const FusedStep& step) {
  { op.rows() } -> std::convertible_to<std::int64_t>;
  { op.lambda_max() } -> std::convertible_to<double>;
  {op.apply(step)};
};

/// The Laplacian of a graph in shared memory. With lambda_min > 0, the interval [lambda_min, lambda_max]
/// becomes [−1, 1]: T_m stays within ±1 there, and grows faster the farther an eigenvalue lies below
/// lambda_min.
class LaplacianOperator {
 public:
  LaplacianOperator(const graph::Laplacian& laplacian, const Context& context, double lambda_min = 0);
  LaplacianOperator(const graph::Laplacian&, const Context&&, double = 0) = delete;  // both are borrowed

  std::int64_t rows() const { return laplacian_.nodes(); }
  double lambda_max() const { return laplacian_.lambda_max; }
  void apply(const FusedStep& step) const;
  /// Bytes that one step moves between memory and core if every gathered row of the panel misses the caches.
  std::int64_t bytes_per_step(std::int64_t width, bool accumulates) const;

 private:
  const graph::Laplacian& laplacian_;
  const Context& context_;
  std::vector<float> neighbor_, own_,
      weight_;  // the factors in 2 L̃, and the squared scale for inner products
};

/// The recurrence from T_0 = panel to T_order. make_step(j) returns the step that yields T_j, with the
/// accumulator, coefficient, squares and products that it computes besides. Both panels are overwritten.
template <ChebyshevOperator Op, class MakeStep>
void chebyshev_recurrence(const Op& op, int order, MatrixView<float> panel, MatrixView<float> work,
                          MakeStep make_step) {
  for (int j = 1; j <= order; ++j) {
    FusedStep step = make_step(j);
    step.current = panel;
    step.previous = work;
    step.first = j == 1;
    op.apply(step);
    std::swap(panel, work);
  }
}

/// signals ← h(L) signals for signals in the symmetric form, rows × width floats, with width a multiple of 16
/// and at most 64. O(order · E · width) time, two more panels of memory and 12 N bytes. Throws
/// invalid_argument for another shape or no coefficients, and cancelled.
void filter(const graph::Laplacian& laplacian, std::span<const double> coefficients,
            MatrixView<float> signals, const Context& context = Context{});

}  // namespace parsimony::spectral
