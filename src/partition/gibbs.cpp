#include "parsimony/partition/gibbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "partition/gibbs_sampler.hpp"

namespace parsimony::partition {
namespace {

// The sums of the probabilities with which a node was drawn into clusters, which have less variance than the
// counts of draws. The smallest sum makes room for a new cluster.
class Ballot {
 public:
  void add(std::int32_t cluster, float probability) {
    std::size_t least = 0;
    for (std::size_t s = 0; s < kSlots; ++s) {
      if (sum_[s] > 0 && cluster_[s] == cluster) {
        sum_[s] += probability;
        return;
      }
      if (sum_[s] < sum_[least]) least = s;
    }
    cluster_[least] = cluster;
    sum_[least] = probability;
  }
  std::int32_t winner() const { return cluster_[std::max_element(sum_.begin(), sum_.end()) - sum_.begin()]; }

 private:
  static constexpr std::size_t kSlots = 6;
  std::array<std::int32_t, kSlots> cluster_{};
  std::array<float, kSlots> sum_{};
};

template <class Odds>
Partition vote(const NetworkView& network, Partition sample, const GibbsOptions& options,
               const Context& context) {
  const std::int64_t nodes = network.nodes(), clusters = sample.clusters();
  GibbsSampler sampler(network, sample, Odds(network, sample, mean_edge_weight(network)), options.seed,
                       context);
  const int silent = std::min(options.sweeps - 1, static_cast<int>(options.burn_in * options.sweeps));
  std::vector<Ballot> ballots(nodes);
  for (int sweep = 0; sweep < options.sweeps; ++sweep) {
    context.progress("votes", sweep, options.sweeps);
    sampler.sweep(sweep, [&](std::int32_t node, std::int32_t cluster, double probability) {
      if (sweep >= silent) ballots[node].add(cluster, static_cast<float>(probability));
    });
    sample = make_partition(network, std::move(sample.labels), clusters, context);
    sampler.odds().refresh();
  }
  context.progress("votes", options.sweeps, options.sweeps);

  std::vector<std::int32_t> labels(nodes);
  std::vector<std::int64_t> sizes(clusters);
  for (std::int64_t i = 0; i < nodes; ++i) ++sizes[labels[i] = ballots[i].winner()];
  std::vector<bool> lost(clusters);
  for (std::int64_t r = 0; r < clusters; ++r) lost[r] = sizes[r] == 0;
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::int32_t back = sample.labels[i];
    if (!lost[back] || sizes[labels[i]] == 1) continue;
    --sizes[labels[i]];
    ++sizes[back];
    labels[i] = back;
  }
  // If the last sample of a lost cluster was a node that another cluster needs, it takes any node.
  std::int64_t next = 0;
  for (std::int32_t r = 0; r < clusters; ++r) {
    if (sizes[r] > 0 || sample.sizes[r] == 0) continue;
    while (sizes[labels[next]] < 2) ++next;
    --sizes[labels[next]];
    ++sizes[r];
    labels[next] = r;
  }
  return make_partition(network, std::move(labels), clusters, context);
}

}  // namespace

Partition gibbs_votes(const NetworkView& network, Partition start, const GibbsOptions& options,
                      const Context& context) {
  validate_fields(options);
  if (std::ssize(start.labels) != network.nodes()) {
    refuse(fmt::format("start: {} for {}; must be a partition of this network",
                       count_of(start.labels.size(), "label"), count_of(network.nodes(), "node")));
  }
  if (!(network.total > 0)) return start;
  return options.objective == Objective::density
             ? vote<DensityOdds>(network, std::move(start), options, context)
             : vote<PlantedOdds>(network, std::move(start), options, context);
}

}  // namespace parsimony::partition
