#include "parsimony/cluster/number_of_clusters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "cluster/filtering.hpp"
#include "cluster/placement.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kFewestSamples = 1000;
constexpr std::int64_t kSamplesPerCluster = 20;
constexpr std::int64_t kFirstSplits = 2;
constexpr double kLeastLambda = 1e-3;  // of lambda_max: below that no eigenvalue is told from 0
constexpr std::size_t kContenders = 5;
constexpr std::int64_t kMostClusters = 200;  // by default; and beyond it the sample grows no more

// The rows of T_0 R, …, T_p R of a few nodes: h(L) R of these nodes for any filter of degree p is then a sum,
// and one recurrence over the graph serves every number of clusters.
class SampledRecurrence {
 public:
  SampledRecurrence(const graph::Laplacian& laplacian, std::span<const std::int32_t> sample,
                    std::int64_t signals, int order, std::uint64_t seed, const Context& context)
      : terms_((order + 1) * std::ssize(sample), signals), samples_(std::ssize(sample)) {
    const std::int64_t nodes = laplacian.nodes();
    const spectral::LaplacianOperator op(laplacian, context);
    const RandomStream random(seed, "choice.signals");
    for (std::int64_t first = 0; first < signals; first += kColumns) {
      const std::int64_t used = std::min(kColumns, signals - first), width = whole_lines(used);
      Matrix<float> panel(nodes, width), work(nodes, width);
      context.for_blocks(nodes, kRows, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          random.fill_normal(panel.row(i).first(used),
                             static_cast<std::uint64_t>(first * nodes + i * kColumns),
                             1 / laplacian.scale[i]);
        }
      });
      const auto keep = [&](int j) {  // T_j, which lies where the steps before left it
        const Matrix<float>& from = j % 2 == 0 ? panel : work;
        for (std::int64_t s = 0; s < samples_; ++s) {
          const float scale = laplacian.scale[sample[s]];
          float* to = terms_.row(j * samples_ + s).data() + first;
          for (std::int64_t c = 0; c < used; ++c) to[c] = scale * from(sample[s], c);
        }
      };
      spectral::chebyshev_recurrence(op, order, panel.view(), work.view(), [&](int j) {
        context.progress("signals", first / kColumns * order + j,
                         (signals + kColumns - 1) / kColumns * order);
        keep(j - 1);
        return spectral::FusedStep{};
      });
      keep(order);
    }
  }

  // Rows of `count` of the nodes, spread evenly over them.
  Matrix<float> filtered(std::span<const double> coefficients, std::int64_t count,
                         const Context& context) const {
    Matrix<float> rows(count, terms_.cols());
    context.for_blocks(count, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::size_t j = 0; j < coefficients.size(); ++j) {
        const auto c = static_cast<float>(coefficients[j]);
        for (std::int64_t s = begin; s < end; ++s) {
          const float* term =
              terms_.row(static_cast<std::int64_t>(j) * samples_ + s * samples_ / count).data();
          float* row = rows.row(s).data();
          for (std::int64_t column = 0; column < terms_.cols(); ++column) row[column] += c * term[column];
        }
      }
    });
    return rows;
  }

 private:
  static constexpr std::int64_t kRows = 1 << 14;
  Matrix<float> terms_;  // T_j of sample s in row j · samples + s
  std::int64_t samples_;
};

// Two realisations out of the columns of `rows`: column order[i] goes to the first for i < d, else to the
// second.
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

// Mean over the clusters of both labelings of the largest Jaccard index |a ∩ b| / |a ∪ b| with one of the
// other [hennig2007clusterwise], scaled so that chance gives 0: random labels of k even clusters have 1/(2 k
// − 1). Each cluster counts alike, so that a cluster of a few outliers, which no index over pairs of nodes
// notices, is seen to come and go.
double clusterwise_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                             std::int64_t k) {
  Matrix<std::int32_t> common(k, k);
  std::vector<std::int32_t> size_a(k), size_b(k);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++common(a[i], b[i]);
    ++size_a[a[i]];
    ++size_b[b[i]];
  }
  std::vector<double> best_a(k), best_b(k);
  for (std::int64_t r = 0; r < k; ++r) {
    for (std::int64_t c = 0; c < k; ++c) {
      const double jaccard = common(r, c) / static_cast<double>(size_a[r] + size_b[c] - common(r, c));
      best_a[r] = std::max(best_a[r], jaccard);
      best_b[c] = std::max(best_b[c], jaccard);
    }
  }
  const double mean = (std::accumulate(best_a.begin(), best_a.end(), 0.0) +
                       std::accumulate(best_b.begin(), best_b.end(), 0.0)) /
                      static_cast<double>(2 * k);
  const double chance = 1 / static_cast<double>(2 * k - 1);
  return (mean - chance) / (1 - chance);
}

// The options with what is automatic filled in, and refused where they contradict each other or the graph.
NumberOfClustersOptions settled(const NumberOfClustersOptions& requested, std::int64_t points) {
  NumberOfClustersOptions options = requested;
  if (options.min_clusters >= points) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("min_clusters: {} are too many for the {} nodes with edges; must be fewer",
                            options.min_clusters, points));
  }
  if (options.max_clusters == 0) {
    options.max_clusters = std::max(options.min_clusters, std::min(kMostClusters, points / 10));
  }
  options.max_clusters = std::min(options.max_clusters, points - 1);
  if (options.min_clusters > options.max_clusters) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("min_clusters: {} is more than max_clusters, which is {}", options.min_clusters,
                            options.max_clusters));
  }
  if (options.samples == 0) {
    options.samples = std::max(kSamplesPerCluster * std::min(options.max_clusters, kMostClusters),
                               std::max(kFewestSamples, options.max_clusters));
  }
  options.samples = std::min(options.samples, points);
  if (options.samples < options.max_clusters) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("samples: {} nodes cannot show {} clusters; must be at least as many, or 0",
                            options.samples, options.max_clusters));
  }
  return options;
}

// Tries numbers of clusters, each once.
class Trials {
 public:
  Trials(const NumberOfClustersOptions& options, const spectral::SpectralDensity& density,
         const SampledRecurrence& recurrence, const Context& context)
      : options_(options), density_(density), recurrence_(recurrence), context_(context) {}

  std::int64_t total() const {
    return std::min(options_.candidates, options_.max_clusters - options_.min_clusters + 1);
  }
  bool may_try(std::int64_t k) const {
    return std::ssize(tried_) < total() && k >= options_.min_clusters && k <= options_.max_clusters &&
           !tried_.contains(k);
  }
  void attempt(std::int64_t k) {
    if (!may_try(k)) return;
    tried_.emplace(k, measure(k, kFirstSplits));
    context_.progress("stability", std::ssize(tried_), total());
  }

  // All pairs of realisations for the few that may be the best; two are enough to see that others are not.
  void compare_closely() {
    std::vector<std::pair<double, std::int64_t>> order;
    for (const auto& [k, candidate] : tried_) order.emplace_back(-candidate.stability, k);
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), kContenders));
    for (const auto& [negative, k] : order) {
      tried_[k] = measure(k, options_.splits);
      contenders_.insert(k);
    }
  }

  double gap(std::int64_t k) const {
    const double lambda = density_.eigenvalue(static_cast<double>(k));
    const double s = std::max(0.5, density_.standard_error(lambda));
    const double middle = static_cast<double>(k) + 0.5;
    const double below = density_.eigenvalue(middle - s);
    return (density_.eigenvalue(middle + s) - below) / (below + kLeastLambda * density_.lambda_max());
  }

  // The most stable so far.
  const ClusterCandidate& top() const {
    const auto more_stable = [](const auto& a, const auto& b) {
      return a.second.stability < b.second.stability;
    };
    return std::max_element(tried_.begin(), tried_.end(), more_stable)->second;
  }

  // The most stable of those compared closely; of those within two standard errors of it, the one of the
  // widest gap. (What only two pairs were seen of has no standard error to speak of.)
  const ClusterCandidate& best() const {
    const ClusterCandidate* most = &tried_.at(*contenders_.begin());
    for (const std::int64_t k : contenders_) {
      if (tried_.at(k).stability > most->stability) most = &tried_.at(k);
    }
    const ClusterCandidate* chosen = most;
    for (const std::int64_t k : contenders_) {
      const ClusterCandidate& candidate = tried_.at(k);
      const double error = 2 * std::hypot(most->standard_error, candidate.standard_error);
      if (candidate.stability + error >= most->stability && candidate.gap > chosen->gap) chosen = &candidate;
    }
    return *chosen;
  }

  std::vector<ClusterCandidate> all() const {
    std::vector<ClusterCandidate> out;
    for (const auto& [k, candidate] : tried_) out.push_back(candidate);
    return out;
  }

 private:
  ClusterCandidate measure(std::int64_t k, std::int64_t splits) const {
    ClusterCandidate out{
        .clusters = k, .lambda_k = density_.eigenvalue(static_cast<double>(k)), .gap = gap(k)};
    const Matrix<float> rows = recurrence_.filtered(
        spectral::low_pass(out.lambda_k, density_.lambda_max(), options_.order),
        std::min(options_.samples, std::max(kFewestSamples, kSamplesPerCluster * k)), context_);
    const std::int64_t d = options_.features;
    std::vector<std::vector<std::int32_t>> labels(2 * splits);
    context_.for_blocks(2 * splits, 1, [&](std::int64_t at, std::int64_t) {
      const auto order = random_order(rows.cols(), options_.seed, at / 2);
      Matrix<float> part = columns_of(rows, std::span(order).subspan(at % 2 * d, d));
      if (options_.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(part, context_);
      const KMeansOptions run{.clusters = k,
                              .exchanges = kExchanges,
                              .seed = RandomStream(options_.seed, "choice.k-means").bits(at)};
      labels[at] = kmeans(part, {}, run, quiet()).labels;
    });
    double squares = 0;
    std::vector<double> agreements(splits);
    for (std::int64_t split = 0; split < splits; ++split) {
      agreements[split] = clusterwise_agreement(labels[2 * split], labels[2 * split + 1], k);
    }
    const auto count = static_cast<double>(splits);
    out.stability = std::accumulate(agreements.begin(), agreements.end(), 0.0) / count;
    for (const double a : agreements) squares += (a - out.stability) * (a - out.stability);
    out.standard_error = std::sqrt(squares / (count * (count - 1)));
    return out;
  }

  Context quiet() const {  // progress counts candidates, not the runs of k-means
    Context context = context_;
    context.on_progress = nullptr;
    return context;
  }

  const NumberOfClustersOptions& options_;
  const spectral::SpectralDensity& density_;
  const SampledRecurrence& recurrence_;
  const Context& context_;
  std::map<std::int64_t, ClusterCandidate> tried_;
  std::set<std::int64_t> contenders_;
};

void try_candidates(const NumberOfClustersOptions& options, Trials& trials) {
  const std::int64_t low = options.min_clusters, high = options.max_clusters;
  if (high - low < options.candidates) {
    for (std::int64_t k = low; k <= high; ++k) trials.attempt(k);
    return;
  }
  const std::int64_t grid = options.candidates / 3;
  for (std::int64_t g = 0; g < grid; ++g) {
    const double part = grid > 1 ? static_cast<double>(g) / static_cast<double>(grid - 1) : 0;
    trials.attempt(std::llround(static_cast<double>(low) *
                                std::pow(static_cast<double>(high) / static_cast<double>(low), part)));
  }
  std::int64_t widest = low;
  double most = -1;
  for (std::int64_t k = low; k <= high; ++k) {
    if (const double gap = trials.gap(k); gap > most) {
      most = gap;
      widest = k;
    }
  }
  trials.attempt(widest);
  for (std::int64_t away = 1; away <= grid / 2; ++away) {
    trials.attempt(widest + away);
    trials.attempt(widest - away);
  }
  // Uphill; two steps each way, so that one value that chance raised does not end it.
  for (bool moved = true; moved;) {
    const std::int64_t at = trials.top().clusters;
    moved = false;
    for (const std::int64_t away : {1, -1, 2, -2}) {
      if (!trials.may_try(at + away)) continue;
      trials.attempt(at + away);
      moved = true;
      break;
    }
  }
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const NumberOfClustersOptions& options) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t most = options.max_clusters ? options.max_clusters : std::min(kMostClusters, nodes / 10);
  const std::int64_t samples = std::min(
      nodes, options.samples
                 ? options.samples
                 : std::max({kFewestSamples, most, kSamplesPerCluster * std::min(most, kMostClusters)}));
  const std::int64_t signals = 2 * options.features, width = whole_lines(std::min(signals, kColumns));
  return matrix_bytes((options.order + 1) * samples, signals) + 4 * matrix_bytes(samples, signals) +
         std::max(2 * matrix_bytes(nodes, width), lambda_k_bytes(nodes, LambdaMethod::moments)) + 64 * nodes;
}

ClusterChoice choose_number_of_clusters(CsrView adjacency, const NumberOfClustersOptions& requested,
                                        const Context& context) {
  validate_fields(requested);
  const std::vector<float> connected = marks_of_connected(adjacency);
  NumberOfClustersOptions options = settled(requested, std::count(connected.begin(), connected.end(), 1.0f));
  check_regularization(options.regularization);
  options.regularization = settled_regularization(options, adjacency);
  ClusterChoice choice{.report = make_report("number of clusters", context, options.seed)};
  record_options(choice.report, options);

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  StageTimer counting(choice.report, "density");
  const auto density = spectral::spectral_density(laplacian, {.seed = options.seed}, context);
  counting.finish();

  StageTimer filtering(choice.report, "signals");
  const auto sample = sample_without_replacement(connected, options.samples, options.seed);
  const SampledRecurrence recurrence(laplacian, sample, 2 * options.features, options.order, options.seed,
                                     context);
  filtering.finish();

  const StageTimer comparing(choice.report, "stability");
  Trials trials(options, density, recurrence, context);
  try_candidates(options, trials);
  trials.compare_closely();
  choice.candidates = trials.all();
  choice.clusters = trials.best().clusters;
  choice.lambda_k = trials.best().lambda_k;
  choice.report.figures.emplace_back("clusters", choice.clusters);
  choice.report.figures.emplace_back("lambda_k", choice.lambda_k);
  return choice;
}

}  // namespace parsimony::cluster
