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

/// Decides whether the filters run on a copy of the graph with its nodes in another order, and adds the bytes
/// of that copy and of the order. Under a memory limit of the caller they do not: the copy would cost more
/// than it gains.
inline RunMemory with_local_order(std::int64_t bytes, CsrView adjacency, const Context& context) {
  const bool limited = context.memory.bytes != 0 && !context.memory.of_system();
  if (limited || !graph::ordering_pays(adjacency)) return {.bytes = bytes};
  const std::int64_t copy = (adjacency.weighted() ? 8 : 4) * adjacency.entries() + 16 * adjacency.rows();
  return {.bytes = bytes + copy, .local_order = true};
}

/// Calls run(prepared) on the graph as it is, or on a copy whose neighbours lie closer together in memory.
/// Labels are in the order of the nodes that the caller gave. The report has the time of ordering as stage
/// "order".
template <class Run>
ClusterResult in_local_order(const Prepared& prepared, const Context& context, const Run& run) {
  if (!prepared.memory.local_order) return run(prepared);
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
