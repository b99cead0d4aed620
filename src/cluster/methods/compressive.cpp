#include "parsimony/cluster/compressive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cluster/methods/columns.hpp"
#include "cluster/methods/distance_control.hpp"
#include "cluster/methods/filtering.hpp"
#include "cluster/methods/local_order.hpp"
#include "cluster/methods/placement.hpp"
#include "cluster/methods/warm_start.hpp"
#include "parsimony/cluster/interpolation.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr int kLloydIterations =
    10;  // on all rows, from centroids of a sample: later ones move next to nothing
constexpr std::int64_t kRowsPerBlock = 1 << 13;
constexpr std::int64_t kFewestSamples = 1000;
constexpr std::int64_t kSamplesPerCluster = 20;

// The paper's 2 k ln k (section 4), with a floor under it: nine nodes a cluster at k = 100, and three in all
// for k = 2, say too little about where the clusters lie. k-means on twice as many costs a hundredth of the
// filters and raises the ARI from .969 to .979.
std::int64_t automatic_samples(std::int64_t clusters, std::int64_t connected) {
  const double k = static_cast<double>(clusters);
  return std::min(connected, std::max<std::int64_t>({std::llround(2 * k * std::log(k)),
                                                     kSamplesPerCluster * clusters, kFewestSamples}));
}

// argmax over clusters of column-normalised scores, fed panel by panel so that no N × k array is ever held.
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

  /// −1 where every score is 0: no sampled node within reach says anything about that node.
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
Spread spread_indicators(const graph::Laplacian& laplacian, std::span<const double> low_pass,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels,
                         const CompressiveOptions& options, const Context& context) {
  const std::int64_t nodes = laplacian.nodes(), clusters = options.clusters;
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
      const auto solved = interpolate(laplacian, high_pass, sample, indicators, scores, {}, part);
      out.converged = out.converged && solved.converged;
      out.iterations = std::max(out.iterations, solved.iterations);
    } else {
      for (std::size_t s = 0; s < sample.size(); ++s) {
        std::copy_n(indicators.row(static_cast<std::int64_t>(s)).data(), indicators.cols(),
                    scores.row(sample[s]).data());
      }
      spectral::filter(laplacian, low_pass, scores, part);
    }
    best.add(scores, first, used);
  }
  out.labels = best.take();
  return out;
}

// n of the sampling theorem at the same ε and δ, by the coherence that the features show: their squared norms
// estimate ‖U_kᵀδ_i‖², and the largest of many estimates is too large rather than too small.
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

std::int64_t estimate_memory(CsrView adjacency, const CompressiveOptions& options, int threads) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t samples = options.samples     ? std::min(options.samples, nodes)
                               : options.error > 0 ? nodes
                                                   : automatic_samples(options.clusters, nodes);
  const std::int64_t features = settled_features(options, nodes, samples);
  const std::int64_t columns = whole_lines(std::min(options.clusters, kColumns));
  const std::int64_t result = matrix_bytes(nodes, features);
  // Restarts may run side by side; each packs its rows, at most 256 a cluster, again to draw its seeds.
  const std::int64_t clustering =
      result + matrix_bytes(samples, features) +
      std::min(options.restarts, threads) *
          matrix_bytes(std::min(samples, 256 * options.clusters), features + kLine);
  const std::int64_t panels = options.assign == Assignment::nearest       ? 0
                              : options.assign == Assignment::interpolate ? 6
                                                                          : 3;
  const std::int64_t assigning =
      result + panels * matrix_bytes(nodes, columns) + (panels ? matrix_bytes(samples, columns) : 0);
  // Per node: Laplacian 12, two operators 24, and at most 28 of degrees, marks, labels, scores, clocks.
  return std::max({lambda_k_bytes(nodes, options.lambda_method), features_bytes(nodes, features), clustering,
                   assigning}) +
         64 * nodes + refinement_bytes(options.refine, nodes) +
         local_order_bytes(adjacency, options.max_memory);
}

namespace {

// With the nodes as they are numbered.
ClusterResult cluster_as_numbered(CsrView adjacency, const CompressiveOptions& requested,
                                  const Context& context, std::span<const std::int32_t> initial) {
  validate_fields(requested);
  if (requested.refine == Refinement::lloyd && requested.assign != Assignment::nearest) {
    refuse("refine: lloyd goes by the nearest centroid; with another assign it must be none or moves");
  }
  const std::int64_t nodes = adjacency.rows();
  check_filtering(requested, nodes);
  check_distance_control(requested);
  if (requested.samples > 0 && requested.samples < requested.clusters) {
    refuse(fmt::format("samples: {} nodes cannot show {} clusters; must be at least as many, or 0",
                       requested.samples, requested.clusters));
  }
  const std::int64_t memory = estimate_memory(adjacency, requested, context.threads());
  check_memory(memory, requested.max_memory, "fewer features or assign = nearest need less");

  // Every automatic value is settled here, so that the report says what was used.
  CompressiveOptions options = requested;
  if (!initial.empty() && options.samples == 0) options.samples = nodes;
  const std::vector<float> connected = marks_of_connected(adjacency);
  const auto candidates = std::count(connected.begin(), connected.end(), 1.0f);
  const std::int64_t k = options.clusters;
  options.samples =
      options.samples ? std::min(options.samples, candidates) : automatic_samples(k, candidates);
  options.features = settled_features(options, candidates, options.samples);
  options.regularization = settled_regularization(options, adjacency);
  check_initial(initial, k, connected);
  if (!initial.empty()) options.restarts = 1;

  ClusterResult result{.clusters = k,
                       .report = make_report("compressive spectral clustering", context, options.seed)};
  Report& report = result.report;
  record_options(report, options);
  report.figures.emplace_back("memory_estimate", memory);
  {
    StageTimer timer(report, "components");
    const graph::Components components = note_structure(report, adjacency, context);
    if (options.regularization == 0 && options.error == 0 && initial.empty()) {
      result.labels = components_as_clusters(components, k, connected);
    }
  }
  if (!result.labels.empty()) return result;  // λ_k is 0
  if (k == 1 || k >= candidates) {
    result.labels = k == 1 ? std::vector<std::int32_t>(nodes, 0) : single_nodes(connected, k);
    return result;
  }

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  const spectral::DistancePlan plan = plan_filter(laplacian, options, candidates, result, context);
  const std::vector<double> low_pass = spectral::low_pass(plan.cutoff, laplacian.lambda_max, plan.order);

  Matrix<float> features =
      filtered_signals(laplacian, low_pass, options.features, options.seed, report, context);
  if (options.error > 0) {
    note_distance_error(laplacian, plan, features, connected, options.seed, report, context);
    if (requested.samples == 0 && initial.empty()) {
      options.samples = std::min(candidates, controlled_samples(features, options, report));
    }
  }
  std::vector<float> energy;
  if (options.sampling == Sampling::energy) {
    energy.resize(nodes);
    for (std::int64_t i = 0; i < nodes; ++i) {
      const auto row = features.row(i);
      energy[i] = connected[i] * std::inner_product(row.begin(), row.end(), row.begin(), 0.0f);
    }
  }
  // Rows as in spectral clustering by the normalised Laplacian; the combinatorial one leaves them.
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  std::vector<std::int32_t> sample;
  KMeansResult clustered;
  {
    StageTimer timer(report, "k-means");
    sample = sample_without_replacement(energy.empty() ? connected : energy, options.samples, options.seed);
    const int exchanges = initial.empty() ? kExchanges : 0;  // they would renumber clusters
    clustered =
        kmeans(rows_of(features, sample), {},
               {.clusters = k, .restarts = options.restarts, .exchanges = exchanges, .seed = options.seed},
               context, mean_rows(features, initial, k, connected));
    report.iterations = clustered.report.iterations;
    report.objective_history = clustered.report.objective_history;
  }

  {
    StageTimer timer(report, "assignment");
    if (options.refine == Refinement::lloyd) {
      const bool all = candidates == nodes;
      KMeansResult again = kmeans(features, all ? std::span<const float>() : std::span(connected),
                                  {.clusters = k, .max_iterations = kLloydIterations, .seed = options.seed},
                                  context, clustered.centroids);
      result.labels = std::move(again.labels);
      report.figures.emplace_back("lloyd_iterations", again.report.iterations);
    } else if (options.assign == Assignment::nearest) {
      result.labels = nearest_centroids(features, clustered.centroids, {}, context);
    } else {
      Spread spread = spread_indicators(laplacian, low_pass, sample, clustered.labels, options, context);
      result.labels = std::move(spread.labels);
      if (options.assign == Assignment::interpolate) {
        report.figures.emplace_back("interpolation_iterations", std::int64_t{spread.iterations});
      }
      if (!spread.converged) report.status = Status::iteration_limit;
    }
    place_unknown(result.labels, k, connected);
    fill_empty_clusters(result.labels, k, sample, clustered.labels);
  }
  if (options.refine == Refinement::moves) refine_by_moves(adjacency, result, options.seed, context);
  return result;
}

}  // namespace

ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& requested,
                                              const Context& context, std::span<const std::int32_t> initial) {
  validate_fields(requested);
  return in_local_order(adjacency, initial, requested.clusters, requested.max_memory, context,
                        [&](CsrView graph, std::span<const std::int32_t> start) {
                          return cluster_as_numbered(graph, requested, context, start);
                        });
}

}  // namespace parsimony::cluster
