#include "parsimony/cluster/automatic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "cluster/methods/candidate_choice.hpp"
#include "cluster/methods/closure.hpp"
#include "cluster/methods/earlier_labels.hpp"
#include "cluster/methods/over_clustering.hpp"
#include "cluster/methods/prepared.hpp"
#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/partition/communities.hpp"
#include "parsimony/partition/gibbs.hpp"
#include "parsimony/partition/leiden.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/modularity_partition.hpp"
#include "parsimony/partition/objectives.hpp"

namespace parsimony::cluster {
namespace {

using partition::Partition;

constexpr double kBlockLike = 4;                // excess_closure(): above it no block model made the graph
constexpr double kDisagree = 0.6;               // ARI: below it communities have not found what there is
constexpr double kAgree = 0.99;                 // above it no further candidate is made
constexpr double kAlike = 0.999;                // above it there is nothing left to vote on
constexpr std::int64_t kMostForFeatures = 300;  // clusters; beyond, features were never the better ones
constexpr std::int64_t kEntriesOfVotes = 40000000;  // seen by all sweeps of one vote
constexpr std::uint64_t kPassesOfEarlier = 3;

struct Candidate {
  std::string name;
  Partition partition;
  double likelihood = 0;
  double seconds = 0;
};

class Search {
 public:
  // earlier: empty, or a label or −1 for every node.
  Search(CsrView adjacency, const AutomaticOptions& options, std::span<const std::int32_t> earlier,
         Report& report, const Context& context)
      : adjacency_(adjacency),
        earlier_(earlier),
        network_(partition::make_network(adjacency, context)),
        options_(options),
        report_(report),
        context_(context) {}

  void run() {
    {
      StageTimer timer(report_, "first communities");
      at_one_ = partition::leiden(network_, {.iterations = 1, .seed = options_.seed}, context_).partition;
    }
    Aim aim = options_.objective;
    if (aim == Aim::automatic) {
      const double excess = excess_closure(adjacency_, at_one_, options_.clusters, options_.seed, context_);
      report_.figures.emplace_back("excess_closure", excess);
      aim = excess > kBlockLike ? Aim::modularity : Aim::likelihood;
    }
    report_.figures.emplace_back("objective_used", std::string(enum_name(aim)));
    if (aim == Aim::likelihood) return by_likelihood();
    by_modularity(aim);
  }

  /// The labels of the candidate taken.
  std::vector<std::int32_t> finish() {
    describe_candidates();
    std::vector<std::int32_t> labels = std::move(candidates_[taken_].partition.labels);
    if (!earlier_.empty()) keep_numbers(labels, earlier_, options_.clusters);
    return labels;
  }
  double lambda_k() const { return lambda_k_; }

 private:
  void by_modularity(Aim aim) {
    const bool cut = aim == Aim::ncut;
    StageTimer timer(report_, "modularity");
    const double start = now();
    Partition found = partition::modularity_partition(
        network_, std::move(at_one_),
        {.clusters = options_.clusters,
         .gain = cut ? partition::MergeGain::normalized_cut : partition::MergeGain::modularity,
         .iterations = descents(),
         .seed = options_.seed},
        context_);
    take(
        add(cut ? "modularity, merged by the normalised cut" : "modularity", std::move(found), now() - start),
        options_.objective == Aim::automatic ? "far more triangles than a block model has"
                                             : "the objective asked for");
    if (earlier_.empty()) return;
    const std::size_t again = from_earlier(Aim::modularity);
    const auto score = [&](std::size_t c) {
      const Partition& partition = candidates_[c].partition;
      return cut ? -partition::normalized_cut(partition) : partition::modularity(partition, network_.total);
    };
    if (score(again) > score(taken_)) take(again, "better by the same objective");
  }

  void by_likelihood() {
    if (!earlier_.empty()) from_earlier(Aim::likelihood);
    from_communities();
    if (options_.effort == Effort::fast) {
      return take(best(), earlier_.empty() ? "the one candidate of this effort" : "the highest likelihood");
    }
    const double agreement = agreement_of_best();
    report_.figures.emplace_back("agreement", agreement);
    if (agreement >= kAlike) return take(best(), "the candidates agree");
    if (agreement < kDisagree && options_.clusters <= kMostForFeatures) from_features();
    const std::size_t start = best();
    const std::size_t planted = vote("votes, one density", start, partition::Objective::modularity);
    vote("votes, own densities", planted, partition::Objective::density);
    take_among_votes(planted);
  }

  double now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::size_t add(std::string name, Partition partition, double seconds) {
    const double likelihood = partition::density_likelihood(partition, network_.total);
    candidates_.push_back({std::move(name), std::move(partition), likelihood, seconds});
    return candidates_.size() - 1;
  }

  std::size_t best() const {
    return std::max_element(
               candidates_.begin(), candidates_.end(),
               [](const Candidate& a, const Candidate& b) { return a.likelihood < b.likelihood; }) -
           candidates_.begin();
  }

  void take(std::size_t candidate, std::string why) {
    taken_ = candidate;
    why_ = std::move(why);
  }

  void from_communities() {
    StageTimer timer(report_, "communities");
    const double start = now();
    const bool fast = options_.effort == Effort::fast;
    auto found = partition::communities_to_k(network_, std::move(at_one_),
                                             {.clusters = options_.clusters,
                                              .candidates = fast ? 1 : 3,
                                              .iterations = fast ? 1 : 2,
                                              .agreement = kAgree,
                                              .seed = options_.seed},
                                             context_);
    const double seconds = (now() - start) / static_cast<double>(found.size());
    for (auto& candidate : found) {
      add(fmt::format("{} at resolution {:.3g}", count_of(candidate.communities, "community", "communities"),
                      candidate.resolution),
          std::move(candidate.partition), seconds);
    }
  }

  // The earlier clusters, adapted to the present graph by local moves.
  std::size_t from_earlier(Aim aim) {
    StageTimer timer(report_, "earlier labels");
    const double start = now();
    Partition partition = partition::make_partition(
        network_, spread_labels(adjacency_, {earlier_.begin(), earlier_.end()}, options_.clusters),
        options_.clusters, context_);
    for (std::uint64_t pass = 0; pass < kPassesOfEarlier; ++pass) {
      const double resolution =
          aim == Aim::likelihood ? partition::planted_rates(partition, network_.total).gamma : 1;
      partition::local_moves(network_, partition, {.resolution = resolution, .seed = options_.seed + pass},
                             context_);
    }
    return add("earlier labels", std::move(partition), now() - start);
  }

  void from_features() {
    StageTimer timer(report_, "features");
    const double start = now();
    Partition found =
        features_to_k(adjacency_, network_, options_.clusters, options_.seed, lambda_k_, context_);
    add("features", std::move(found), now() - start);
  }

  // The largest ARI of the best candidate with another one; 0 if it is the only candidate.
  double agreement_of_best() const {
    double most = 0;
    const std::size_t first = best();
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      if (c == first) continue;
      most = std::max(most,
                      graph::agreement(candidates_[first].partition.labels, candidates_[c].partition.labels)
                          .adjusted_rand);
    }
    return most;
  }

  std::size_t vote(std::string name, std::size_t from, partition::Objective objective) {
    StageTimer timer(report_, name);
    const double start = now();
    Partition voted = candidates_[from].partition;
    if (objective == partition::Objective::density) {
      for (int pass = 0; pass < 2; ++pass) {
        partition::local_moves(network_, voted, {.objective = objective, .seed = options_.seed}, context_);
      }
    }
    voted = partition::gibbs_votes(
        network_, std::move(voted),
        {.objective = objective, .sweeps = sweeps(objective), .seed = options_.seed}, context_);
    return add(std::move(name), std::move(voted), now() - start);
  }

  // Descents after the first one; the tenth still raises modularity a little.
  int descents() const {
    return options_.effort == Effort::fast ? 1 : options_.effort == Effort::normal ? 6 : 12;
  }

  // More sweeps for small graphs, where they cost little, and for the second vote: it starts from the first,
  // and the labels of nodes at a border are as good as their votes are many.
  int sweeps(partition::Objective objective) const {
    const std::int64_t times = objective == partition::Objective::density ? 3 : 1;
    const std::int64_t affordable = times * kEntriesOfVotes / std::max<std::int64_t>(1, adjacency_.entries());
    const std::int64_t normal = std::clamp<std::int64_t>(affordable, 40, 100 * times);
    return static_cast<int>(options_.effort == Effort::thorough ? 8 * normal : normal);
  }

  double largest_volume(const Partition& partition) const {
    return *std::max_element(partition.volume.begin(), partition.volume.end());
  }

  void take_among_votes(std::size_t planted) {
    std::vector<CandidateScore> scores;
    for (const Candidate& candidate : candidates_) {
      scores.push_back({candidate.likelihood, largest_volume(candidate.partition)});
    }
    const CandidateChoice choice = choose_among_votes(scores, planted);
    take(choice.taken, std::string(choice.reason));
  }

  void describe_candidates() {
    std::vector<double> likelihood, modularity, cut, volume, seconds;
    std::string names;
    for (const Candidate& candidate : candidates_) {
      names += (names.empty() ? "" : "; ") + candidate.name;
      likelihood.push_back(candidate.likelihood);
      modularity.push_back(partition::modularity(candidate.partition, network_.total));
      cut.push_back(partition::normalized_cut(candidate.partition));
      volume.push_back(network_.total > 0 ? largest_volume(candidate.partition) / network_.total : 0);
      seconds.push_back(candidate.seconds);
    }
    auto& figures = report_.figures;
    figures.emplace_back("candidates", names);
    figures.emplace_back("candidate_likelihood", likelihood);
    figures.emplace_back("candidate_modularity", modularity);
    figures.emplace_back("candidate_normalized_cut", cut);
    figures.emplace_back("candidate_largest_volume", volume);
    figures.emplace_back("candidate_seconds", seconds);
    figures.emplace_back("taken", candidates_[taken_].name);
    figures.emplace_back("taken_because", why_);
  }

  CsrView adjacency_;
  std::span<const std::int32_t> earlier_;
  partition::GraphNetwork network_;
  const AutomaticOptions& options_;
  Report& report_;
  const Context& context_;
  Partition at_one_;  // communities at resolution 1
  std::vector<Candidate> candidates_;
  double lambda_k_ = 0;
  std::size_t taken_ = 0;
  std::string why_;
};

bool has_isolated(CsrView adjacency) {
  for (std::int64_t i = 0; i < adjacency.rows(); ++i) {
    if (adjacency.offsets[i] == adjacency.offsets[i + 1]) return true;
  }
  return false;
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const AutomaticOptions& options, const Context&) {
  const std::int64_t nodes = adjacency.rows();
  // Leiden: states, parts and the largest aggregate, which has at most the edges of the graph with weights; a
  // sampler and its ballots; four candidates of 4 bytes per node.
  const std::int64_t partitions = 16 * adjacency.entries() + 240 * nodes;
  // A copy of the graph without its isolated nodes, if it has any.
  const std::int64_t copy =
      has_isolated(adjacency) ? (adjacency.weighted() ? 8 : 4) * adjacency.entries() + 8 * nodes : 0;
  const bool features = options.clusters <= kMostForFeatures && options.effort != Effort::fast;
  return std::max(partitions, features ? over_clustering_memory(nodes, options.clusters) : 0) + copy +
         64 * nodes;
}

// prepare() finds these two by their argument. The ranges of single fields say all.
static void check_options(const AutomaticOptions&) {}

static RunMemory run_memory(CsrView adjacency, const AutomaticOptions& options, const Context& context) {
  return {.bytes = estimate_memory(adjacency, options, context)};
}

ClusterResult automatic_clustering(CsrView adjacency, const AutomaticOptions& options,
                                   std::span<const std::int32_t> initial, const Context& context) {
  const Prepared prepared = prepare(adjacency, options, initial, "a lower effort needs less", context);
  adjacency = prepared.adjacency;
  const std::int64_t nodes = prepared.nodes(), k = options.clusters;
  const std::vector<float>& connected = prepared.connected.marks;
  ClusterResult out = begin_result("automatic clustering", prepared, options, false, context);
  if (!out.labels.empty()) {
    if (!initial.empty()) keep_numbers(out.labels, initial, k);
    return out;
  }
  // Nodes without edges are left out until the end, so that none of them holds a cluster that others have
  // left.
  const bool isolated = prepared.connected.count < nodes;
  const Csr part = isolated ? marked_part(adjacency, connected) : Csr{};
  CsrView searched = isolated ? CsrView(part) : adjacency;
  searched.checked = true;  // rows without entries left out of a checked graph
  std::vector<std::int32_t> earlier;
  for (std::size_t i = 0; i < initial.size(); ++i) {
    if (connected[i] > 0) earlier.push_back(initial[i]);
  }
  Search search(searched, options, earlier, out.report, context);
  search.run();
  out.lambda_k = search.lambda_k();
  const std::vector<std::int32_t> labels = search.finish();
  out.labels.assign(nodes, -1);
  for (std::int64_t i = 0, next = 0; i < nodes; ++i) {
    if (connected[i] > 0) out.labels[i] = labels[next++];
  }
  place_unknown(out.labels, k, connected);
  return out;
}

ClusterResult automatic_clustering(CsrView adjacency, const AutomaticOptions& options,
                                   const Context& context) {
  return automatic_clustering(adjacency, options, {}, context);
}

}  // namespace parsimony::cluster
