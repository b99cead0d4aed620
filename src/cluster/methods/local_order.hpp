// Runs a method on the nodes in an order that caches better; callers do not see it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "cluster/methods/prepared.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/reorder.hpp"

namespace parsimony::cluster {

/// Whether the filters run on a copy of the graph with its nodes in another order. Under a memory limit they
/// do not: the copy would cost more than it gains.
inline bool takes_local_order(CsrView adjacency, std::int64_t max_memory) {
  return max_memory == 0 && graph::ordering_pays(adjacency);
}

/// Bytes of that copy and of the order.
inline std::int64_t local_order_bytes(CsrView adjacency, std::int64_t max_memory) {
  if (!takes_local_order(adjacency, max_memory)) return 0;
  return (adjacency.weighted() ? 8 : 4) * adjacency.entries() + 16 * adjacency.rows();
}

/// Calls run(prepared) on the graph as it is, or on a copy whose neighbours lie closer together in memory.
/// Labels are in the order of the nodes that the caller gave. The report has the time of ordering as stage
/// "order".
template <class Run>
ClusterResult in_local_order(const Prepared& prepared, std::int64_t max_memory, const Context& context,
                             const Run& run) {
  if (!takes_local_order(prepared.adjacency, max_memory)) return run(prepared);
  Report before;
  StageTimer timer(before, "order");
  const std::vector<std::int32_t> order = graph::ball_order(prepared.adjacency);
  const Csr reordered = graph::reordered(prepared.adjacency, order, context);
  std::vector<std::int32_t> initial(prepared.initial.size());
  for (std::size_t i = 0; i < initial.size(); ++i) initial[i] = prepared.initial[order[i]];
  Prepared moved{
      .adjacency = reordered, .initial = initial, .connected = prepared.connected, .memory = prepared.memory};
  moved.adjacency.checked = true;  // the rows of a checked graph in another order
  for (std::size_t i = 0; i < order.size(); ++i) {
    moved.connected.marks[i] = prepared.connected.marks[order[i]];
  }
  timer.finish();

  ClusterResult result = run(std::as_const(moved));
  std::vector<std::int32_t> labels(result.labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[order[i]] = result.labels[i];
  result.labels = std::move(labels);
  add_before(result.report, before);
  return result;
}

}  // namespace parsimony::cluster
