// Polynomial graph filters: Chebyshev expansions of a low-pass, and the recurrence that applies them.
//
// A filter h is a polynomial of the Laplacian L, h(L) = Σ_j c_j T_j(L̃) with L̃ = (2/lambda_max) L − I, so that
// it costs `order` products with L and needs no eigenvector. The recurrence T_{j+1} = 2 L̃ T_j − T_{j−1} runs
// on panels of signals, through any operator with a fused step (spectral/operator.hpp).
#pragma once

#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

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

/// signals ← h(L) signals for signals in the symmetric form, rows × width floats, with width a multiple of 16
/// and at most 64. O(order · E · width) time, two more panels of memory and 12 N bytes. Throws
/// invalid_argument for another shape or no coefficients, and cancelled.
void filter(const graph::Laplacian& laplacian, std::span<const double> coefficients,
            MatrixView<float> signals, const Context& context = Context{});

/// The same for the rows of the signals that this process holds.
void filter(const Operator& op, std::span<const double> coefficients, MatrixView<float> signals,
            const Context& context = Context{});

}  // namespace parsimony::spectral
