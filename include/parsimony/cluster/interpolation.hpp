// Smooth interpolation: a signal on all nodes from its values on a sample [tremblay2016compressive,
// puy2018random].
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::cluster {

struct InterpolationOptions {
  double gamma = 1e-3;      ///< weight of the penalty; the authors' value
  double tolerance = 1e-6;  ///< relative residual to stop at
  int max_iterations = 100;
};

template <OptionsOf<InterpolationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"gamma", "weight of the high-frequency penalty", 1e-12, 1e12}, options.gamma);
  visit(Field{"tolerance", "relative residual to stop at", 0, 1}, options.tolerance);
  visit(Field{"max_iterations", "conjugate-gradient iterations", 1, 1e6}, options.max_iterations);
}

struct InterpolationResult {
  bool converged = true;  ///< all columns within the tolerance
  int iterations = 0;
  double worst_residual = 0;  ///< largest relative residual of a column
};

/// For every column v of `values` (n × w, w = 16, 32, 48 or 64), computes the minimiser c of ‖M c − v‖² + γ
/// cᵀ g(L) c over signals on all nodes, where M picks the n sampled nodes: solves (MᵀM + γ g(L)) c = Mᵀ v
/// into `out` (N × w).
///
/// The matrix is symmetric and positive, so conjugate gradients replace the GMRES of the authors: the same
/// solution with three vectors in total instead of one per iteration. All columns advance together, with
/// `order` products per iteration. O(iterations · order · E · w) time; beside `out` three panels of N × w
/// floats and the two of the filter. The result tells whether it converged, by the float32 residual that the
/// recurrence carries. Throws invalid_argument for shapes that do not fit or a sampled node out of range, and
/// cancelled.
InterpolationResult interpolate(const graph::Laplacian& laplacian, std::span<const double> high_pass,
                                std::span<const std::int32_t> sample, MatrixView<const float> values,
                                MatrixView<float> out, const InterpolationOptions& options = {},
                                const Context& context = Context{});

/// The same for an operator in one process; throws unsupported for several.
InterpolationResult interpolate(const spectral::Operator& op, std::span<const double> high_pass,
                                std::span<const std::int32_t> sample, MatrixView<const float> values,
                                MatrixView<float> out, const InterpolationOptions& options = {},
                                const Context& context = Context{});

}  // namespace parsimony::cluster
