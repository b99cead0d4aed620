// The step that the methods on filtered signals share, between begin_result() and k-means.
#pragma once

#include <vector>

#include "cluster/methods/distance_control.hpp"
#include "cluster/methods/placement.hpp"
#include "cluster/methods/signals.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/spectral/chebyshev.hpp"

namespace parsimony::cluster {

struct FilteredFeatures {
  std::vector<double> low_pass;  ///< coefficients of the filter
  Matrix<float> rows;            ///< N × d, not normalised
};

/// Finds the cut-off, filters the signals and, with error > 0, measures what became of the distances. Stages
/// and figures go to the report, λ_k and the density to the result.
template <class Options>
FilteredFeatures filtered_features(const spectral::Operator& op, const ConnectedNodes& connected,
                                   const Options& settled, ClusterResult& result, const Context& context) {
  FilteredFeatures out;
  const spectral::DistancePlan plan = plan_filter(op, settled, connected.count, result, context);
  out.low_pass = spectral::low_pass(plan.cutoff, op.lambda_max(), plan.order);
  out.rows = filtered_signals(op, out.low_pass, settled.features, settled.seed, result.report, context);
  if (settled.error > 0) {
    note_distance_error(op, plan, out.rows, connected.marks, settled.seed, result.report, context);
  }
  return out;
}

}  // namespace parsimony::cluster
