// Denoises a whole image with the l1 norm of the coefficients.
#pragma once

#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// Computes the minimiser of ½ ‖x − y‖² + tau Σ |r| over images; r are the coefficients of all patches of x,
/// periodic, by the rows of omega scaled to norm 1. Alternating directions in scaled form,
///   Z ← soft(Ω x + B, tau/gamma), B ← B + Ω x − Z, x ← (y + gamma (L x − Ωᵀ(Ω x − Z + B))) / (1 + gamma L),
/// L = p² times the upper frame bound. For a tight frame L x = ΩᵀΩ x, and this is exactly the x-update of
/// ADMM; elsewhere it is its linearised form, the primal-dual method of [chambolle2011first].
///
/// Stops when x moves by less than 1e-4 · tau root mean square, or after max_iterations. history: the
/// objective at each x but the last.
Matrix<float> l1_denoise(MatrixView<const float> y, MatrixView<const double> omega, double tau,
                         int max_iterations, std::vector<double>& history, const Context& context);

}  // namespace parsimony::images
