#include "parsimony/cluster/number_of_clusters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "cluster/methods/placement.hpp"
#include "cluster/methods/sampled_terms.hpp"
#include "cluster/methods/signals.hpp"
#include "cluster/number_of_clusters/clusterwise_agreement.hpp"
#include "core/count_of.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kFewestSamplesOfSearch = 1000;
constexpr std::int64_t kSamplesPerClusterOfSearch = 20;
constexpr std::int64_t kFirstSplits = 2;  // and the rest of a first look at a number
constexpr std::int64_t kFirstSamples = 400;
constexpr std::int64_t kFirstSamplesPerCluster = 8;
constexpr int kFirstExchanges = 1;
constexpr double kLeastLambda = 1e-3;        // times lambda_max: smaller eigenvalues cannot be told from 0
constexpr std::int64_t kMostClusters = 200;  // by default; and beyond it the sample grows no more

// The number of signals from which a realisation takes d: a third more, up to whole cache lines.
std::int64_t signals_of(std::int64_t features) {
  return whole_lines(features + (features + 2) / 3);
}

// The first d are the signals of one realisation, the last d those of the other.
std::vector<std::int32_t> random_order(std::int64_t columns, std::uint64_t seed, std::uint64_t split) {
  const RandomStream random(seed, "choice.splits", split);
  std::vector<std::int32_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = columns - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1, i)]);
  return order;
}

Matrix<float> columns_of(const Matrix<float>& rows, std::span<const std::int32_t> columns) {
  Matrix<float> out(rows.rows(), std::ssize(columns));
  for (std::int64_t s = 0; s < rows.rows(); ++s) {
    for (std::int64_t c = 0; c < out.cols(); ++c) out(s, c) = rows(s, columns[c]);
  }
  return out;
}

// The options with automatic values filled in; refuses contradictions with each other and with the graph.
NumberOfClustersOptions settled(const NumberOfClustersOptions& requested, std::int64_t points) {
  NumberOfClustersOptions options = requested;
  if (options.min_clusters >= points) {
    refuse(fmt::format("min_clusters: {} are too many for the {} with edges; must be fewer",
                       options.min_clusters, count_of(points, "node")));
  }
  if (options.max_clusters == 0) {
    options.max_clusters = std::max(options.min_clusters, std::min(kMostClusters, points / 10));
  }
  options.max_clusters = std::min(options.max_clusters, points - 1);
  if (options.min_clusters > options.max_clusters) {
    refuse(fmt::format("min_clusters: {} is more than max_clusters, which is {}", options.min_clusters,
                       options.max_clusters));
  }
  if (options.samples == 0) {
    options.samples = std::max(kSamplesPerClusterOfSearch * std::min(options.max_clusters, kMostClusters),
                               std::max(kFewestSamplesOfSearch, options.max_clusters));
  }
  options.samples = std::min(options.samples, points);
  if (options.samples < options.max_clusters) {
    refuse(fmt::format("samples: {} cannot show {}; must be at least as many, or 0",
                       count_of(options.samples, "node"), count_of(options.max_clusters, "cluster")));
  }
  return options;
}

// Tries numbers of clusters, each once.
class Trials {
 public:
  Trials(const NumberOfClustersOptions& options, const spectral::SpectralDensity& density,
         const SampledTerms& terms, const Context& context)
      : options_(options), density_(density), terms_(terms), context_(context) {}

  std::int64_t total() const {
    return std::min(options_.candidates, options_.max_clusters - options_.min_clusters + 1);
  }
  bool may_try(std::int64_t k) const {
    return std::ssize(tried_) < total() && k >= options_.min_clusters && k <= options_.max_clusters &&
           !tried_.contains(k);
  }
  void attempt(std::vector<std::int64_t> numbers) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    std::erase_if(numbers, [&](std::int64_t k) { return !may_try(k); });
    numbers.resize(std::min(std::ssize(numbers), total() - std::ssize(tried_)));
    measure(numbers, kFirstSplits, kFirstSamples, kFirstSamplesPerCluster, kFirstExchanges);
    context_.progress("stability", std::ssize(tried_), total());
  }

  // Compares the best number and its neighbours with more pairs of realisations on more nodes, until the best
  // has two worse numbers on either side. The first look, with two pairs and fewer nodes, only tells where to
  // search.
  void compare_closely() {
    std::vector<std::int64_t> numbers{top().clusters};
    while (!numbers.empty()) {
      measure(numbers, options_.splits, kFewestSamplesOfSearch, kSamplesPerClusterOfSearch, kExchanges);
      contenders_.insert(numbers.begin(), numbers.end());
      context_.progress("stability", std::ssize(tried_), total());
      const std::int64_t at = best().clusters;
      numbers.clear();
      for (const std::int64_t k : {at - 2, at - 1, at + 1, at + 2}) {
        if (!contenders_.contains(k) && (tried_.contains(k) || may_try(k))) numbers.push_back(k);
      }
      while (std::ssize(tried_) +
                 std::ranges::count_if(numbers, [&](auto k) { return !tried_.contains(k); }) >
             total()) {
        numbers.erase(std::ranges::find_if(numbers, [&](auto k) { return !tried_.contains(k); }));
      }
    }
  }

  double gap(std::int64_t k) const {
    const double lambda = density_.eigenvalue(static_cast<double>(k));
    const double s = std::max(0.5, density_.standard_error(lambda));
    const double middle = static_cast<double>(k) + 0.5;
    const double below = density_.eigenvalue(middle - s);
    return (density_.eigenvalue(middle + s) - below) / (below + kLeastLambda * density_.lambda_max());
  }

  // The numbers tried next below and above; k itself if there is none.
  std::pair<std::int64_t, std::int64_t> neighbors(std::int64_t k) const {
    const auto at = tried_.find(k), after = std::next(at);
    return {at == tried_.begin() ? k : std::prev(at)->first, after == tried_.end() ? k : after->first};
  }

  // The most stable so far.
  const ClusterCandidate& top() const {
    const auto more_stable = [](const auto& a, const auto& b) {
      return a.second.stability < b.second.stability;
    };
    return std::max_element(tried_.begin(), tried_.end(), more_stable)->second;
  }

  // The most stable number of those compared closely or, among those within a standard error of it, the one
  // with the widest gap.
  const ClusterCandidate& best() const {
    const ClusterCandidate* most = &tried_.at(*contenders_.begin());
    for (const std::int64_t k : contenders_) {
      if (tried_.at(k).stability > most->stability) most = &tried_.at(k);
    }
    const ClusterCandidate* chosen = most;
    for (const std::int64_t k : contenders_) {
      const ClusterCandidate& candidate = tried_.at(k);
      const double error = error_of_difference(k, most->clusters);
      if (candidate.stability + error >= most->stability && candidate.gap > chosen->gap) chosen = &candidate;
    }
    return *chosen;
  }

  // The standard error of the difference of mean stabilities; both come from the same pairs of realisations.
  double error_of_difference(std::int64_t a, std::int64_t b) const {
    const std::vector<double>&x = agreements_.at(a), &y = agreements_.at(b);
    const auto count = static_cast<double>(x.size());
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += x[i] - y[i];
      squares += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return std::sqrt(std::max(0.0, squares - sum * sum / count) / (count * (count - 1)));
  }

  std::vector<ClusterCandidate> all() const {
    std::vector<ClusterCandidate> out;
    for (const auto& [k, candidate] : tried_) out.push_back(candidate);
    return out;
  }

 private:
  void measure(const std::vector<std::int64_t>& numbers, std::int64_t splits, std::int64_t fewest,
               std::int64_t per_cluster, int exchanges) {
    const std::int64_t runs = 2 * splits, d = options_.features, signals = signals_of(d);
    std::vector<Matrix<float>> rows(numbers.size());
    context_.for_blocks(std::ssize(numbers), 1, [&](std::int64_t c, std::int64_t) {
      const double lambda_k = density_.eigenvalue(static_cast<double>(numbers[c]));
      rows[c] = terms_.filtered(spectral::low_pass(lambda_k, density_.lambda_max(), options_.order),
                                std::min(options_.samples, std::max(fewest, per_cluster * numbers[c])));
    });
    std::vector<std::vector<std::int32_t>> labels(numbers.size() * runs);
    const Context inside = context_of_a_run(std::ssize(labels));
    context_.for_blocks(std::ssize(labels), 1, [&](std::int64_t at, std::int64_t) {
      const std::int64_t run = at % runs;
      const auto order = random_order(signals, options_.seed, run / 2);
      Matrix<float> part = columns_of(rows[at / runs], std::span(order).subspan(run % 2 * (signals - d), d));
      if (options_.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(part, inside);
      const KMeansOptions settings{.clusters = numbers[at / runs],
                                   .exchanges = exchanges,
                                   .seed = RandomStream(options_.seed, "choice.k-means").bits(run)};
      labels[at] = kmeans(part, {}, settings, inside).labels;
    });
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      const std::int64_t k = numbers[c];
      std::vector<double> agreements(splits);
      for (std::int64_t split = 0; split < splits; ++split) {
        const auto* pair = &labels[c * runs + 2 * split];
        agreements[split] = clusterwise_agreement(pair[0], pair[1], k);
      }
      ClusterCandidate found{
          .clusters = k, .lambda_k = density_.eigenvalue(static_cast<double>(k)), .gap = gap(k)};
      const auto count = static_cast<double>(splits);
      found.stability = std::accumulate(agreements.begin(), agreements.end(), 0.0) / count;
      double squares = 0;
      for (const double a : agreements) squares += (a - found.stability) * (a - found.stability);
      found.standard_error = std::sqrt(squares / (count * (count - 1)));
      tried_[k] = found;
      agreements_[k] = std::move(agreements);
    }
  }

  // Reports no progress, which counts candidates. If there are enough runs for all threads, each run has one
  // thread: runs are small, and threads that share one mostly wait.
  Context context_of_a_run(std::int64_t runs) const {
    Context context(runs >= 2 * context_.threads() ? 1 : context_.threads());
    context.stop = context_.stop;
    return context;
  }

  const NumberOfClustersOptions& options_;
  const spectral::SpectralDensity& density_;
  const SampledTerms& terms_;
  const Context& context_;
  std::map<std::int64_t, ClusterCandidate> tried_;
  std::map<std::int64_t, std::vector<double>> agreements_;  // agreement of each pair
  std::set<std::int64_t> contenders_;
};

void try_candidates(const NumberOfClustersOptions& options, Trials& trials) {
  const std::int64_t low = options.min_clusters, high = options.max_clusters;
  std::vector<std::int64_t> numbers;
  if (high - low < options.candidates) {
    for (std::int64_t k = low; k <= high; ++k) numbers.push_back(k);
    trials.attempt(std::move(numbers));
    return;
  }
  std::int64_t widest = low;
  double most = -1;
  for (std::int64_t k = low; k <= high; ++k) {
    if (const double gap = trials.gap(k); gap > most) {
      most = gap;
      widest = k;
    }
  }
  numbers = {widest};
  const std::int64_t grid = options.candidates / 3;
  for (std::int64_t g = 0; g < grid; ++g) {
    const double part = grid > 1 ? static_cast<double>(g) / static_cast<double>(grid - 1) : 0;
    numbers.push_back(std::llround(static_cast<double>(low) *
                                   std::pow(static_cast<double>(high) / static_cast<double>(low), part)));
  }
  trials.attempt(std::move(numbers));
  // Bisects between the most stable number and those tried next to it, until nothing is between.
  for (;;) {
    const std::int64_t at = trials.top().clusters;
    const auto [below, above] = trials.neighbors(at);
    numbers.clear();
    for (const std::int64_t next : {below, above}) {
      const std::int64_t middle =
          std::llround(std::sqrt(static_cast<double>(at) * static_cast<double>(next)));
      numbers.push_back(middle != next ? middle : (at + next) / 2);
    }
    std::erase_if(numbers, [&](std::int64_t k) { return !trials.may_try(k); });
    if (numbers.empty()) return;
    trials.attempt(std::move(numbers));
  }
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const NumberOfClustersOptions& options, const Context&) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t most = options.max_clusters ? options.max_clusters : std::min(kMostClusters, nodes / 10);
  const std::int64_t samples = std::min(
      nodes, options.samples ? options.samples
                             : std::max({kFewestSamplesOfSearch, most,
                                         kSamplesPerClusterOfSearch * std::min(most, kMostClusters)}));
  const std::int64_t signals = signals_of(options.features), width = std::min(signals, kColumns);
  const std::int64_t tried = std::min(options.candidates, most) * matrix_bytes(samples, signals);
  return matrix_bytes((options.order + 1) * samples, signals) +
         std::max(2 * matrix_bytes(nodes, width), tried) + 64 * nodes;
}

ClusterChoice choose_number_of_clusters(CsrView adjacency, const NumberOfClustersOptions& requested,
                                        const Context& context) {
  validate_fields(requested);
  adjacency = graph::check_graph(adjacency, context);
  const ConnectedNodes connected = connected_nodes(adjacency);
  NumberOfClustersOptions options = settled(requested, connected.count);
  options.regularization = settled_regularization(options, adjacency);
  ClusterChoice choice{.report = make_report("number of clusters", context, options.seed)};
  record_options(choice.report, options);

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  StageTimer counting(choice.report, "density");
  const auto sample = sample_without_replacement(connected.marks, options.samples, options.seed);
  const spectral::LaplacianOperator op(laplacian, context);
  SampledTerms terms(op.scale(), sample, signals_of(options.features), options.order);
  choice.density = spectral::spectral_density(
      op,
      {.order = std::max(options.order, spectral::DensityOptions{}.order),
       .signals = static_cast<int>(signals_of(options.features)),
       .seed = options.seed},
      [&](std::int64_t first, int term, MatrixView<const float> panel) { terms.keep(first, term, panel); },
      context);
  counting.finish();

  const StageTimer comparing(choice.report, "stability");
  Trials trials(options, *choice.density, terms, context);
  try_candidates(options, trials);
  trials.compare_closely();
  choice.candidates = trials.all();
  choice.clusters = trials.best().clusters;
  choice.lambda_k = trials.best().lambda_k;
  choice.report.figures.emplace_back("clusters", choice.clusters);
  choice.report.figures.emplace_back("lambda_k", choice.lambda_k);
  choice.report.figures.emplace_back("count_standard_error", choice.density->standard_error(choice.lambda_k));
  return choice;
}

}  // namespace parsimony::cluster
