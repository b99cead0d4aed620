#include "cluster/methods/distance_control.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr int kLongestFilter = 4;  // times the order asked for
constexpr std::uint64_t kMeasuredPairs = 1000;

spectral::DistanceOptions distance_options(const DistanceControl& control) {
  return {.error = control.error,
          .failure_probability = control.failure_probability,
          .max_order = kLongestFilter * control.stage.order};
}

}  // namespace

std::int64_t settled_features(const DistanceControl& control, std::int64_t features, std::int64_t nodes,
                              std::int64_t points) {
  if (features > 0) return features;
  return control.error > 0 ? spectral::distance_signals(nodes, distance_options(control))
                           : automatic_features(points);
}

spectral::DistancePlan plan_filter(const spectral::Operator& op, const DistanceControl& control,
                                   std::int64_t nodes, ClusterResult& result, const Context& context) {
  if (control.error == 0) {
    find_lambda_k(op, control.stage, result, context);
    return {.order = control.stage.order, .cutoff = result.lambda_k};
  }
  Report& report = result.report;
  const StageTimer timer(report, "lambda_k");
  auto density = spectral::spectral_density(op, {.seed = control.stage.seed}, {}, context);
  const auto k = static_cast<double>(control.stage.clusters);
  result.lambda_k = density.eigenvalue(k);
  const double low = density.eigenvalue(k - 0.5), high = density.eigenvalue(k + 0.5);
  const spectral::DistancePlan plan = spectral::plan_distances(nodes, control.stage.clusters, low, high,
                                                               op.lambda_max(), distance_options(control));
  report.figures.emplace_back("count_standard_error", density.standard_error(result.lambda_k));
  report.figures.emplace_back("lambda_k", result.lambda_k);
  report.figures.emplace_back("spectral_gap", high - low);
  report.figures.emplace_back("filter_error_pass", plan.filter.pass);
  report.figures.emplace_back("filter_error_stop", plan.filter.stop);
  report.figures.emplace_back("distance_kept", plan.kept);
  if (!plan.kept) {
    context.log(
        LogLevel::warning,
        fmt::format("the gap of {:.2g} after the {}-th eigenvalue is too narrow for a filter of order "
                    "{} to keep distances within {}; option order raises it",
                    high - low, control.stage.clusters, plan.order, control.error));
  }
  result.density = std::move(density);
  return plan;
}

void note_distance_error(const spectral::Operator& op, const spectral::DistancePlan& plan,
                         MatrixView<const float> features, std::span<const float> connected,
                         std::uint64_t seed, Report& report, const Context& context) {
  const StageTimer timer(report, "distance error");
  const Matrix<float> reference = spectral::random_features(
      op, spectral::low_pass(plan.cutoff, op.lambda_max(), 2 * plan.order), whole_lines(2 * features.cols),
      RandomStream(seed, "distance.reference").bits(0), context);
  const RandomStream draw(seed, "distance.pairs");
  const auto squared_distance = [](MatrixView<const float> rows, std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t c = 0; c < rows.cols; ++c) {
      const double difference = static_cast<double>(rows(i, c)) - rows(j, c);
      sum += difference * difference;
    }
    return sum;
  };
  double squares = 0;
  std::int64_t pairs = 0;
  for (std::uint64_t at = 0; at < 2 * kMeasuredPairs; at += 2) {
    const auto i = static_cast<std::int64_t>(draw.below(connected.size(), at));
    const auto j = static_cast<std::int64_t>(draw.below(connected.size(), at + 1));
    const double truth = squared_distance(reference, i, j);
    if (connected[i] == 0 || connected[j] == 0 || !(truth > 0)) continue;
    // To first order, the relative error of a distance is half the error of the logarithm of its square.
    const double off = std::log(std::max(squared_distance(features, i, j), 1e-30) / truth) / 2;
    squares += off * off;
    ++pairs;
  }
  report.figures.emplace_back("filter_order", std::int64_t{plan.order});
  report.figures.emplace_back("distance_error",
                              std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(pairs, 1))));
}

}  // namespace parsimony::cluster
