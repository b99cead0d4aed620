#include "parsimony/cluster/compressive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/methods/columns.hpp"
#include "cluster/methods/filtered_features.hpp"
#include "cluster/methods/initial_centroids.hpp"
#include "cluster/methods/local_order.hpp"
#include "cluster/methods/on_operator.hpp"
#include "cluster/methods/prepared.hpp"
#include "cluster/methods/refine.hpp"
#include "core/count_of.hpp"
#include "parsimony/cluster/interpolation.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/features.hpp"
#include "spectral/panel.hpp"

namespace parsimony::cluster {
namespace {

constexpr int kLloydIterations =
    10;  // on all rows, from centroids of a sample: later ones move next to nothing
constexpr std::int64_t kRowsPerBlock = 1 << 13;
constexpr std::int64_t kFewestSamples = 1000;
constexpr std::int64_t kSamplesPerCluster = 20;

// The paper's 2 k ln k (section 4) with a lower bound: nine nodes per cluster at k = 100, or three in all at
// k = 2, do not show where the clusters lie. k-means on twice as many costs a hundredth of the filters and
// raises the ARI from .969 to .979.
std::int64_t automatic_samples(std::int64_t clusters, std::int64_t connected) {
  const double k = static_cast<double>(clusters);
  return std::min(connected, std::max<std::int64_t>({std::llround(2 * k * std::log(k)),
                                                     kSamplesPerCluster * clusters, kFewestSamples}));
}

// The argmax over clusters of column-normalised scores. It receives them panel by panel, so that no N × k
// array is needed.
class BestColumn {
 public:
  BestColumn(std::int64_t nodes, const Context& context)
      : context_(context), best_(nodes, -std::numeric_limits<float>::infinity()), labels_(nodes, 0) {}

  void add(MatrixView<const float> scores, std::int64_t first, std::int64_t used) {
    const Columns squares = inner_products(scores, scores, context_);
    std::vector<float> factor(used);
    for (std::int64_t c = 0; c < used; ++c) {
      factor[c] = squares[c] > 0 ? static_cast<float>(1 / std::sqrt(squares[c])) : 0.0f;
    }
    context_.for_blocks(scores.rows, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t c = 0; c < used; ++c) {
          const float score = scores(i, c) * factor[c];
          if (score > best_[i]) {
            best_[i] = score;
            labels_[i] = static_cast<std::int32_t>(first + c);
          }
        }
      }
    });
  }

  /// −1 if every score is 0: no sampled node is within reach of that node.
  std::vector<std::int32_t> take() {
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (best_[i] == 0) labels_[i] = -1;
    }
    return std::move(labels_);
  }

 private:
  const Context& context_;
  std::vector<float> best_;
  std::vector<std::int32_t> labels_;
};

struct Spread {
  std::vector<std::int32_t> labels;
  bool converged = true;
  int iterations = 0;
};

// Step 6 and 7 of the paper, or one pass of the low-pass filter, over the indicators of the clusters of the
// sample.
Spread spread_indicators(const spectral::Operator& op, std::span<const double> low_pass,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels,
                         const CompressiveOptions& options, const Context& context) {
  const std::int64_t nodes = op.rows(), clusters = options.clusters;
  const std::vector<double> high_pass = spectral::complement({low_pass.begin(), low_pass.end()});
  const std::int64_t panels = (clusters + kColumns - 1) / kColumns;
  BestColumn best(nodes, context);
  Spread out;
  for (std::int64_t first = 0; first < clusters; first += kColumns) {
    const std::int64_t used = std::min(kColumns, clusters - first);
    const Context part = context.part("assignment", first / kColumns, panels);
    Matrix<float> indicators(static_cast<std::int64_t>(sample.size()), whole_lines(used));
    for (std::size_t s = 0; s < sample.size(); ++s) {
      const std::int64_t column = sample_labels[s] - first;
      if (column >= 0 && column < used) indicators(static_cast<std::int64_t>(s), column) = 1;
    }
    Matrix<float> scores(nodes, indicators.cols());
    if (options.assign == Assignment::interpolate) {
      const auto solved = interpolate(op, high_pass, sample, indicators, scores, {}, part);
      out.converged = out.converged && solved.converged;
      out.iterations = std::max(out.iterations, solved.iterations);
    } else {
      for (std::size_t s = 0; s < sample.size(); ++s) {
        std::copy_n(indicators.row(static_cast<std::int64_t>(s)).data(), indicators.cols(),
                    scores.row(sample[s]).data());
      }
      spectral::filter(op, low_pass, scores, part);
    }
    best.add(scores, first, used);
  }
  out.labels = best.take();
  return out;
}

// The number n of the sampling theorem at the same ε and δ. The coherence comes from the features: their
// squared norms estimate ‖U_kᵀδ_i‖², and the largest of many estimates is too large rather than too small.
std::int64_t controlled_samples(MatrixView<const float> features, const CompressiveOptions& options,
                                Report& report) {
  double largest = 0;
  for (std::int64_t i = 0; i < features.rows; ++i) {
    const float* row = features.row_data(i);
    largest = std::max(largest, std::inner_product(row, row + features.cols, row, 0.0));
  }
  const double squared_coherence =
      std::max(static_cast<double>(features.rows) * largest, static_cast<double>(options.clusters));
  const std::int64_t samples = spectral::theorem_samples(options.clusters, squared_coherence, options.error,
                                                         options.failure_probability);
  report.figures.emplace_back("coherence", std::sqrt(squared_coherence));
  report.figures.emplace_back("samples_of_theorem", samples);
  return std::max(samples, options.clusters);
}

}  // namespace

// prepare() finds it by its argument, as it finds check_options().
static RunMemory run_memory(CsrView adjacency, const CompressiveOptions& options, const Context& context) {
  return with_local_order(
      compressive_bytes(adjacency.rows(), 0, adjacency.rows(), options, context.threads()), adjacency,
      context);
}

std::int64_t compressive_bytes(std::int64_t rows, std::int64_t ghosts, std::int64_t nodes,
                               const CompressiveOptions& options, int threads) {
  const std::int64_t samples = options.samples     ? std::min(options.samples, nodes)
                               : options.error > 0 ? nodes
                                                   : automatic_samples(options.clusters, nodes);
  const std::int64_t features = settled_features(options, nodes, samples);
  const std::int64_t columns = whole_lines(std::min(options.clusters, kColumns));
  const std::int64_t result = matrix_bytes(rows, features);
  // Restarts may run side by side, and each packs its rows again, at most 256 per cluster, to draw its seeds.
  const std::int64_t clustering =
      result + matrix_bytes(samples, features) +
      std::min(options.restarts, threads) *
          matrix_bytes(std::min(samples, 256 * options.clusters), features + kLine);
  const std::int64_t panels = options.assign == Assignment::nearest       ? 0
                              : options.assign == Assignment::interpolate ? 6
                                                                          : 3;
  const std::int64_t assigning =
      options.refine == Refinement::lloyd
          ? result + kmeans_bytes(rows, options.clusters, features)
          : result + panels * matrix_bytes(rows, columns) + (panels ? matrix_bytes(samples, columns) : 0);
  // Per node: Laplacian 12, two operators 24, and at most 28 of degrees, marks, labels, scores, clocks.
  return std::max({lambda_k_bytes(rows + ghosts, options.lambda_method),
                   features_bytes(rows + ghosts, features), clustering, assigning}) +
         64 * rows + refinement_bytes(options.refine, rows);
}

std::int64_t estimate_memory(CsrView adjacency, const CompressiveOptions& options, const Context& context) {
  return run_memory(adjacency, options, context).bytes;
}

// Refuses combinations that the ranges of single fields allow.
static void check_options(const CompressiveOptions& options) {
  check_compressive_options(options);
}

void check_compressive_options(const CompressiveOptions& options) {
  if (options.refine == Refinement::lloyd && options.assign != Assignment::nearest) {
    refuse("refine: lloyd goes by the nearest centroid; with another assign it must be none or moves");
  }
  check_distance_control(options);
  if (options.samples > 0 && options.samples < options.clusters) {
    refuse(fmt::format("samples: {} cannot show {}; must be at least as many, or 0",
                       count_of(options.samples, "node"), count_of(options.clusters, "cluster")));
  }
}

CompressiveOptions settled_options(const CompressiveOptions& requested, std::int64_t nodes,
                                   std::int64_t connected, double regularization, bool warm) {
  CompressiveOptions options = requested;
  if (warm && options.samples == 0) options.samples = nodes;
  options.samples =
      options.samples ? std::min(options.samples, connected) : automatic_samples(options.clusters, connected);
  options.features = settled_features(options, connected, options.samples);
  options.regularization = regularization;
  if (warm) options.restarts = 1;
  return options;
}

void run_compressive(const spectral::Operator& op, const ConnectedNodes& connected,
                     std::span<const std::int32_t> initial, CompressiveOptions options, bool samples_given,
                     ClusterResult& result, const Context& context) {
  Report& report = result.report;
  const Processes& processes = op.processes();
  const std::int64_t k = options.clusters, candidates = connected.count;
  if (options.error > 0 || options.refine != Refinement::none || !initial.empty()) {
    spectral::refuse_several_processes(op, "an error bound, refinement or a warm start");
  }
  auto [low_pass, features] = filtered_features(op, connected, options, result, context);
  if (options.error > 0 && !samples_given && initial.empty()) {
    options.samples = std::min(candidates, controlled_samples(features, options, report));
  }
  std::vector<float> energy;
  if (options.sampling == Sampling::energy) {
    energy.resize(op.rows());
    for (std::int64_t i = 0; i < op.rows(); ++i) {
      const auto row = features.row(i);
      energy[i] = connected.marks[i] * std::inner_product(row.begin(), row.end(), row.begin(), 0.0f);
    }
  }
  // Spectral clustering normalises the rows for the normalised Laplacian only.
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  std::vector<std::int32_t> sample;
  KMeansResult clustered;
  {
    StageTimer timer(report, "k-means");
    sample = sample_without_replacement(energy.empty() ? connected.marks : energy, options.samples,
                                        options.seed, op.first_row(), processes);
    const int exchanges = initial.empty() ? kExchanges : 0;  // they would renumber clusters
    clustered = kmeans_once(
        processes, rows_of(op, features, sample), {},
        {.clusters = k, .restarts = options.restarts, .exchanges = exchanges, .seed = options.seed},
        initial_centroids(features, initial, k, connected.marks), context);
    report.iterations = clustered.report.iterations;
    report.objective_history = clustered.report.objective_history;
  }

  const StageTimer timer(report, "assignment");
  if (options.refine == Refinement::lloyd) {
    const bool all = candidates == op.rows();
    KMeansResult again = kmeans(features, all ? std::span<const float>() : std::span(connected.marks),
                                {.clusters = k, .max_iterations = kLloydIterations, .seed = options.seed},
                                clustered.centroids, context);
    result.labels = std::move(again.labels);
    report.figures.emplace_back("lloyd_iterations", again.report.iterations);
  } else if (options.assign == Assignment::nearest) {
    if (op.rows() > 0) result.labels = nearest_centroids(features, clustered.centroids, {}, context);
  } else {
    spectral::refuse_several_processes(op, "option assign other than nearest");
    Spread spread = spread_indicators(op, low_pass, sample, clustered.labels, options, context);
    result.labels = std::move(spread.labels);
    if (options.assign == Assignment::interpolate) {
      report.figures.emplace_back("interpolation_iterations", std::int64_t{spread.iterations});
    }
    if (!spread.converged) report.status = Status::iteration_limit;
  }
  place_unknown(result.labels, k, connected.marks, processes);
  fill_empty_clusters(result.labels, k, sample, clustered.labels, processes);
}

namespace {

ClusterResult cluster_prepared(const Prepared& prepared, const CompressiveOptions& requested,
                               const Context& context) {
  const CompressiveOptions options =
      settled_options(requested, prepared.nodes(), prepared.connected.count,
                      settled_regularization(requested, prepared.adjacency), !prepared.initial.empty());
  ClusterResult result =
      begin_result("compressive spectral clustering", prepared, options,
                   options.regularization == 0 && options.error == 0 && prepared.initial.empty(), context);
  if (!result.labels.empty()) return result;
  const graph::Laplacian laplacian =
      graph::make_laplacian(prepared.adjacency, options.laplacian, options.regularization, context);
  run_compressive(spectral::LaplacianOperator(laplacian, context), prepared.connected, prepared.initial,
                  options, requested.samples > 0, result, context);
  if (options.refine == Refinement::moves)
    refine_by_moves(prepared.adjacency, prepared.connected, result, options.seed, context);
  return result;
}

}  // namespace

ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& options,
                                              std::span<const std::int32_t> initial, const Context& context) {
  const Prepared prepared =
      prepare(adjacency, options, initial, "fewer features or assign = nearest need less", context);
  return in_local_order(prepared, context,
                        [&](const Prepared& ordered) { return cluster_prepared(ordered, options, context); });
}

ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& options,
                                              const Context& context) {
  return compressive_spectral_clustering(adjacency, options, {}, context);
}

}  // namespace parsimony::cluster
