#include "parsimony/cluster/filtered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/filtering.hpp"
#include "cluster/local_order.hpp"
#include "cluster/placement.hpp"
#include "cluster/warm_start.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/distance_error.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kFewestRows = 1000;
constexpr std::int64_t kRowsPerCluster = 50;
constexpr int kLongestFilter = 4;  // times the order asked for
constexpr std::uint64_t kMeasuredPairs = 1000;

std::int64_t rows_of_restarts(std::int64_t clusters, std::int64_t connected) {
  return std::min(connected, std::max(kFewestRows, kRowsPerCluster * clusters));
}

spectral::DistanceOptions distance_options(const FilteredOptions& options) {
  return {.error = options.error,
          .failure_probability = options.failure_probability,
          .max_order = kLongestFilter * options.order};
}

std::int64_t settled_features(const FilteredOptions& options, std::int64_t points) {
  if (options.features > 0) return options.features;
  return options.error > 0 ? spectral::distance_signals(points, distance_options(options))
                           : automatic_features(points);
}

// λ_k and the filter that keeps the distances, as the stage "lambda_k".
spectral::DistancePlan plan_filter(const graph::Laplacian& laplacian, const FilteredOptions& options,
                                   std::int64_t points, double& lambda_k, Report& report,
                                   const Context& context) {
  const StageTimer timer(report, "lambda_k");
  const auto density = spectral::spectral_density(laplacian, {.seed = options.seed}, context);
  const auto k = static_cast<double>(options.clusters);
  lambda_k = density.eigenvalue(k);
  const double low = density.eigenvalue(k - 0.5), high = density.eigenvalue(k + 0.5);
  const spectral::DistancePlan plan = spectral::plan_distances(
      points, options.clusters, low, high, laplacian.lambda_max, distance_options(options));
  report.figures.emplace_back("count_standard_error", density.standard_error(lambda_k));
  report.figures.emplace_back("lambda_k", lambda_k);
  report.figures.emplace_back("spectral_gap", high - low);
  report.figures.emplace_back("filter_error_pass", plan.filter.pass);
  report.figures.emplace_back("filter_error_stop", plan.filter.stop);
  report.figures.emplace_back("distance_kept", plan.kept);
  if (!plan.kept) {
    context.log(
        LogLevel::warning,
        fmt::format("the gap of {:.2g} after the {}-th eigenvalue is too narrow for a filter of order "
                    "{} to keep distances within {}; option order raises it",
                    high - low, options.clusters, plan.order, options.error));
  }
  return plan;
}

// What the distances of random pairs are off by, against a longer filter of signals of their own.
double measured_error(const graph::Laplacian& laplacian, const spectral::DistancePlan& plan,
                      MatrixView<const float> features, std::span<const float> connected, std::uint64_t seed,
                      Report& report, const Context& context) {
  const StageTimer timer(report, "distance error");
  const Matrix<float> reference = spectral::random_features(
      laplacian, spectral::low_pass(plan.cutoff, laplacian.lambda_max, 2 * plan.order), kColumns,
      RandomStream(seed, "filtered.reference").bits(0), context);
  const RandomStream draw(seed, "filtered.pairs");
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
    // To first order the error of a distance is half that of its logarithm's square.
    const double off = std::log(std::max(squared_distance(features, i, j), 1e-30) / truth) / 2;
    squares += off * off;
    ++pairs;
  }
  const double noise = 1 / (2 * static_cast<double>(kColumns));  // variance of ln √(χ²_m/m), about 1/(2 m)
  return std::sqrt(std::max(0.0, squares / static_cast<double>(std::max<std::int64_t>(pairs, 1)) - noise));
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options, int threads) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t features = settled_features(options, nodes);
  const std::int64_t rows = rows_of_restarts(options.clusters, nodes);
  const std::int64_t clustering = matrix_bytes(nodes, features) + (1 + std::min(options.restarts, threads)) *
                                                                      matrix_bytes(rows, features + kLine);
  // Per node as compressive clustering, which k-means on all rows does not pass: 12 and the marks.
  return std::max(
             {lambda_k_bytes(nodes, options.lambda_method), features_bytes(nodes, features), clustering}) +
         64 * nodes + refinement_bytes(options.refine, nodes) +
         local_order_bytes(adjacency, options.max_memory);
}

namespace {

// With the nodes as they are numbered.
ClusterResult cluster_as_numbered(CsrView adjacency, const FilteredOptions& requested, const Context& context,
                                  std::span<const std::int32_t> initial) {
  validate_fields(requested);
  check_refinement(requested.refine);
  const std::int64_t nodes = adjacency.rows(), k = requested.clusters;
  check_filtering(requested, nodes);
  if (requested.error > 0 && requested.features > 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("error: {} chooses the number of features itself; leave out one of both",
                            requested.error));
  }
  const std::int64_t memory = estimate_memory(adjacency, requested, context.threads());
  check_memory(memory, requested.max_memory, "fewer features need less");

  FilteredOptions options = requested;
  const std::vector<float> connected = marks_of_connected(adjacency);
  const auto points = std::count(connected.begin(), connected.end(), 1.0f);
  options.features = settled_features(options, points);
  options.regularization = settled_regularization(options, adjacency);
  check_initial(initial, k, connected);
  if (!initial.empty()) options.restarts = 1;

  ClusterResult result{.clusters = k,
                       .report = make_report("filtered spectral clustering", context, options.seed)};
  Report& report = result.report;
  record_options(report, options);
  report.figures.emplace_back("memory_estimate", memory);
  {
    const StageTimer timer(report, "components");
    note_structure(report, adjacency, context);
  }
  if (k == 1 || k >= points) {
    result.labels = k == 1 ? std::vector<std::int32_t>(nodes, 0) : single_nodes(connected, k);
    return result;
  }

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  spectral::DistancePlan plan;
  if (options.error > 0) {
    plan = plan_filter(laplacian, options, points, result.lambda_k, report, context);
  } else {
    find_lambda_k(laplacian, options, result, context);
    plan.cutoff = result.lambda_k;
    plan.order = options.order;
  }
  const std::vector<double> low_pass = spectral::low_pass(plan.cutoff, laplacian.lambda_max, plan.order);
  Matrix<float> features =
      filtered_signals(laplacian, low_pass, options.features, options.seed, report, context);
  if (options.error > 0) {
    report.figures.emplace_back("filter_order", std::int64_t{plan.order});
    report.figures.emplace_back("distance_error", measured_error(laplacian, plan, features, connected,
                                                                 options.seed, report, context));
  }
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  KMeansOptions run{
      .clusters = k, .restarts = options.restarts, .exchanges = kExchanges, .seed = options.seed};
  Matrix<float> start = mean_rows(features, initial, k, connected);
  if (initial.empty()) {
    const StageTimer timer(report, "start");
    const std::vector<std::int32_t> sample =
        sample_without_replacement(connected, rows_of_restarts(k, points), options.seed);
    start = kmeans(rows_of(features, sample), {}, run, context).centroids;
  }
  StageTimer timer(report, "k-means");
  run.exchanges = 0;  // the start has had them
  KMeansResult clustered =
      kmeans(features, points < nodes ? std::span(connected) : std::span<const float>(), run, context, start);
  report.status = clustered.report.status;
  report.iterations = clustered.report.iterations;
  report.objective_history = clustered.report.objective_history;
  result.labels = std::move(clustered.labels);
  place_unknown(result.labels, k, connected);
  fill_empty_clusters(result.labels, k, {}, {});
  timer.finish();
  if (options.refine == Refinement::moves) refine_by_moves(adjacency, result, options.seed, context);
  return result;
}

}  // namespace

ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& requested,
                                           const Context& context, std::span<const std::int32_t> initial) {
  validate_fields(requested);
  return in_local_order(adjacency, initial, requested.clusters, requested.max_memory, context,
                        [&](CsrView graph, std::span<const std::int32_t> start) {
                          return cluster_as_numbered(graph, requested, context, start);
                        });
}

}  // namespace parsimony::cluster
