// Distances kept within 1 ± ε: the effect of the options error and failure_probability on a method on
// filtered signals.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>

#include "cluster/methods/signals.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/spectral/distance_error.hpp"

namespace parsimony::cluster {

/// The options of a method that the control needs; error = 0: there is no control.
struct DistanceControl {
  double error = 0;
  double failure_probability = 0;
  LambdaStage stage;
};
template <class Options>
DistanceControl distance_control(const Options& options) {
  return {options.error, options.failure_probability, lambda_stage(options)};
}

/// Throws invalid_argument if the control and another option would choose the same value.
template <class Options>
void check_distance_control(const Options& options) {
  if (options.error == 0) return;
  const char* both = options.features > 0   ? "the number of features"
                     : options.lambda_k > 0 ? "lambda_k"
                                            : nullptr;
  if (both == nullptr) return;
  refuse(fmt::format("error: {} chooses {} itself; leave out one of both", options.error, both));
}

/// The number d of signals by the control on `nodes` nodes, or the automatic d for k-means on `points` rows.
std::int64_t settled_features(const DistanceControl& control, std::int64_t features, std::int64_t nodes,
                              std::int64_t points);
template <class Options>
std::int64_t settled_features(const Options& options, std::int64_t nodes, std::int64_t points) {
  return settled_features(distance_control(options), options.features, nodes, points);
}

/// Finds λ_k as find_lambda_k does, and the filter: that of the options or, with error > 0, that of
/// spectral::plan_distances, at most four times as long. Logs a warning if that filter cannot keep the
/// distances.
spectral::DistancePlan plan_filter(const spectral::Operator& op, const DistanceControl& control,
                                   std::int64_t nodes, ClusterResult& result, const Context& context);
template <class Options>
spectral::DistancePlan plan_filter(const spectral::Operator& op, const Options& options, std::int64_t nodes,
                                   ClusterResult& result, const Context& context) {
  return plan_filter(op, distance_control(options), nodes, result, context);
}

/// Adds the figures filter_order and distance_error: the root mean square of the relative error of the
/// distances of 1000 random pairs, measured against a filter of twice the order with twice as many fresh
/// signals. It includes the noise of these signals, so that it is some fifth too large rather than too small.
void note_distance_error(const spectral::Operator& op, const spectral::DistancePlan& plan,
                         MatrixView<const float> features, std::span<const float> connected,
                         std::uint64_t seed, Report& report, const Context& context);

}  // namespace parsimony::cluster
