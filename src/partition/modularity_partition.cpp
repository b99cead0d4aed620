#include "parsimony/partition/modularity_partition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/partition/aggregate.hpp"
#include "parsimony/partition/leiden.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/split.hpp"
#include "partition/count_with_volume.hpp"

namespace parsimony::partition {
namespace {

constexpr double kFine = 1024;  // resolution of the finer communities: parts of some ten nodes
constexpr double kFiner = 4;    // times that where they are too few
constexpr int kFinerSteps = 8;

// Local moves of the sets of nodes with equal `parts`, each within one cluster of `labels`.
void move_parts(const NetworkView& network, std::span<const std::int32_t> parts, std::int64_t count,
                std::vector<std::int32_t>& labels, const LocalMoveOptions& moves, const Context& context) {
  const Network coarse = aggregate(network, parts, count, context);
  std::vector<std::int32_t> of_parts(count);
  for (std::size_t i = 0; i < parts.size(); ++i) of_parts[parts[i]] = labels[i];
  Partition partition = make_partition(coarse, std::move(of_parts), 0, context);
  local_moves(coarse, partition, moves, context);
  labels = project(parts, partition.labels);
}

}  // namespace

Partition modularity_partition(const NetworkView& network, const ModularityPartitionOptions& options,
                               const Context& context) {
  return modularity_partition(network, singletons(network), options, context);
}

Partition modularity_partition(const NetworkView& network, Partition start,
                               const ModularityPartitionOptions& options, const Context& context) {
  validate_fields(options);
  const std::int64_t k = options.clusters;
  if (k > network.nodes()) {
    refuse(
        fmt::format("clusters: {} is more than the {} of the network", k, count_of(network.nodes(), "node")));
  }
  const LocalMoveOptions moves{.keep_clusters = true, .seed = options.seed};
  const MergeOptions merges{.clusters = k, .gain = options.gain};
  const Partition communities =
      leiden(network, std::move(start), {.iterations = options.iterations, .seed = options.seed}, context)
          .partition;

  const Network inside = within_clusters(network, communities.labels, context);
  Partition fine;
  double resolution = kFine;
  for (int step = 0; step < kFinerSteps; ++step, resolution *= kFiner) {
    fine = leiden(inside, {.resolution = resolution, .iterations = 1, .seed = options.seed},
                  context.part("finer communities", 0, 1))
               .partition;
    if (count_with_volume(fine) >= k) break;
  }

  std::vector<std::int32_t> labels;
  if (count_with_volume(communities) > k) {
    const Network coarse = aggregate(network, communities.labels, communities.clusters(), context);
    labels = project(communities.labels, merge_clusters(coarse, merges, context));
    move_parts(network, communities.labels, communities.clusters(), labels, moves, context);
  } else {
    split_off_nodes(inside, fine, k, resolution, context);
    const Network coarse = aggregate(inside, fine.labels, fine.clusters(), context);
    labels = project(fine.labels, merge_clusters(coarse, merges, context));
  }
  move_parts(network, fine.labels, fine.clusters(), labels, moves, context);
  Partition out = make_partition(network, std::move(labels), k, context);
  local_moves(network, out, moves, context);
  split_off_nodes(network, out, k, 1, context);  // moves may have left a cluster to nodes without edges
  return out;
}

}  // namespace parsimony::partition
