#include "parsimony/cluster/refine.hpp"

#include <algorithm>

#include "cluster/methods/placement.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/split.hpp"

namespace parsimony::cluster {

void refine_by_moves(CsrView adjacency, ClusterResult& result, std::uint64_t seed, const Context& context) {
  constexpr int kPasses = 3;
  const StageTimer timer(result.report, "refine");
  const partition::GraphNetwork network = partition::make_network(adjacency, context);
  partition::Partition partition =
      partition::make_partition(network, result.labels, result.clusters, context);
  std::int64_t moves = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const std::int64_t made =
        partition::local_moves(network, partition,
                               {.resolution = partition::planted_rates(partition, network.total).gamma,
                                .seed = seed + static_cast<std::uint64_t>(pass)},
                               context);
    context.progress("refine", pass + 1, kPasses);
    moves += made;
  }
  // Moves may have left a cluster to nodes without edges, and another may be the smallest now.
  partition::split_off_nodes(network, partition, result.clusters, 1, context);
  result.labels = std::move(partition.labels);
  const std::vector<float> connected = marks_of_connected(adjacency);
  if (result.clusters <= std::count(connected.begin(), connected.end(), 1.0f)) {
    place_unknown(result.labels, result.clusters, connected);
  }
  result.report.figures.emplace_back("refining_moves", moves);
}

}  // namespace parsimony::cluster
