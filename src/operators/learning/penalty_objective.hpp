// The sparsity of samples under an operator, and its gradient by the operator, fused.
#pragma once

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// Returns Σ_s Σ_i log(1 + nu · <w_i, x_s>²) over the rows x_s of samples (l × n) and w_i of the operator
/// (a × n); gradient (a × n, contiguous) receives its derivative by the rows w_i.
///
/// The coefficients R = X Ωᵀ live for a block of samples only, in the cache: there the penalty is taken, its
/// derivative ψ put in their place, and ψᵀ X added to the gradient. Products are in T (float or double), over
/// at most 512 samples; beyond, everything is summed in float64, in the order of the blocks: the same bytes
/// for any number of threads.
///
/// 4 · a · n flops per sample, which is the limit: bench/analysis_bench.cpp sets it beside a BLAS. Memory:
/// 8 · a · n bytes for each of at most 64 blocks.
template <class T>
double penalty_objective(MatrixView<const T> samples, MatrixView<const double> analysis, double nu,
                         MatrixView<double> gradient, const Context& context);

}  // namespace parsimony::operators
