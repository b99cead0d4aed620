// Implements parsimony/cluster/refine.hpp and cluster/methods/refine.hpp.
#include "cluster/methods/refine.hpp"

#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/split.hpp"

namespace parsimony::cluster {

void check_refinement(Refinement refine) {
  if (refine != Refinement::lloyd) return;
  refuse(
      "refine: lloyd is for the compressive method, whose k-means sees a sample; here k-means sees all rows, "
      "and "
      "refine must be none or moves");
}

void refine_by_moves(CsrView adjacency, ClusterResult& result, std::uint64_t seed, const Context& context) {
  adjacency = graph::check_graph(adjacency, context);
  refine_by_moves(adjacency, connected_nodes(adjacency), result, seed, context);
}

void refine_by_moves(CsrView adjacency, const ConnectedNodes& connected, ClusterResult& result,
                     std::uint64_t seed, const Context& context) {
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
  if (result.clusters <= connected.count) place_unknown(result.labels, result.clusters, connected.marks);
  result.report.figures.emplace_back("refining_moves", moves);
}

}  // namespace parsimony::cluster
