// Distances kept within 1 ± ε: what the options error and failure_probability do to a method on filtered
// signals.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>

#include "cluster/methods/filtering.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/spectral/distance_error.hpp"

namespace parsimony::cluster {

/// Of a method's options, what the control needs; error = 0: there is none.
struct DistanceControl {
  double error = 0;
  double failure_probability = 0;
  LambdaStage stage;
};
template <class Options>
DistanceControl distance_control(const Options& options) {
  return {options.error, options.failure_probability, lambda_stage(options)};
}

/// Throws invalid_argument where the control and another option would choose the same thing.
template <class Options>
void check_distance_control(const Options& options) {
  if (options.error == 0) return;
  const char* both = options.features > 0   ? "the number of features"
                     : options.lambda_k > 0 ? "lambda_k"
                                            : nullptr;
  if (both == nullptr) return;
  refuse(fmt::format("error: {} chooses {} itself; leave out one of both", options.error, both));
}

/// d of the control on `nodes` nodes, or the automatic one for k-means on `points` rows.
std::int64_t settled_features(const DistanceControl& control, std::int64_t features, std::int64_t nodes,
                              std::int64_t points);
template <class Options>
std::int64_t settled_features(const Options& options, std::int64_t nodes, std::int64_t points) {
  return settled_features(distance_control(options), options.features, nodes, points);
}

/// λ_k, as find_lambda_k, and the filter: the one of the options, or with error > 0 the one of
/// spectral::plan_distances, at most four times as long; it warns where that keeps no distances.
spectral::DistancePlan plan_filter(const graph::Laplacian& laplacian, const DistanceControl& control,
                                   std::int64_t nodes, ClusterResult& result, const Context& context);
template <class Options>
spectral::DistancePlan plan_filter(const graph::Laplacian& laplacian, const Options& options,
                                   std::int64_t nodes, ClusterResult& result, const Context& context) {
  return plan_filter(laplacian, distance_control(options), nodes, result, context);
}

/// The figures filter_order and distance_error: the root mean square of the relative error of the distances
/// of 1000 random pairs, against a filter of twice the order and twice the signals, fresh ones. The noise of
/// these is in it, so that it is some fifth too large rather than too small.
void note_distance_error(const graph::Laplacian& laplacian, const spectral::DistancePlan& plan,
                         MatrixView<const float> features, std::span<const float> connected,
                         std::uint64_t seed, Report& report, const Context& context);

}  // namespace parsimony::cluster
