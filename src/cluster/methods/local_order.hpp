// A clustering on the nodes in another order, invisible to the caller.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cluster/methods/placement.hpp"
#include "cluster/methods/warm_start.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/reorder.hpp"

namespace parsimony::cluster {

/// Whether the filters run on a copy of the graph with its nodes in another order. A limit of memory is
/// better spent on other things.
inline bool takes_local_order(CsrView adjacency, std::int64_t max_memory) {
  return max_memory == 0 && graph::ordering_pays(adjacency);
}

/// Bytes of that copy and of the order.
inline std::int64_t local_order_bytes(CsrView adjacency, std::int64_t max_memory) {
  if (!takes_local_order(adjacency, max_memory)) return 0;
  return (adjacency.weighted() ? 8 : 4) * adjacency.entries() + 16 * adjacency.rows();
}

/// run(adjacency, initial), on the graph as it is or on one with neighbours closer together; labels are those
/// of the nodes as they came. The time of ordering is the stage "order" of the report.
template <class Run>
ClusterResult in_local_order(CsrView adjacency, std::span<const std::int32_t> initial, std::int64_t clusters,
                             std::int64_t max_memory, const Context& context, const Run& run) {
  if (!takes_local_order(adjacency, max_memory)) return run(adjacency, initial);
  check_initial(initial, clusters, marks_of_connected(adjacency));
  Report before;
  StageTimer timer(before, "order");
  const std::vector<std::int32_t> order = graph::ball_order(adjacency);
  const Csr reordered = graph::reordered(adjacency, order, context);
  std::vector<std::int32_t> moved(initial.size());
  for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = initial[order[i]];
  timer.finish();

  ClusterResult result = run(CsrView(reordered), std::span<const std::int32_t>(moved));
  std::vector<std::int32_t> labels(result.labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[order[i]] = result.labels[i];
  result.labels = std::move(labels);
  add_before(result.report, before);
  return result;
}

}  // namespace parsimony::cluster
