// The prologue that all methods share: a run validates its options and its graph once, asks for memory once,
// and marks the nodes with edges once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cluster/methods/memory.hpp"
#include "cluster/methods/placement.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::cluster {

/// The memory of a run beside the graph, and the decision that it depends on.
struct RunMemory {
  std::int64_t bytes = 0;
  bool local_order = false;  ///< the run is on a copy of the graph: see local_order.hpp
};

/// The input of a method after every check.
struct Prepared {
  CsrView adjacency;                      ///< checked
  std::span<const std::int32_t> initial;  ///< labels of a warm start: fits the nodes, or empty
  ConnectedNodes connected;
  RunMemory memory;

  std::int64_t nodes() const { return adjacency.rows(); }
};

/// Throws invalid_argument for more clusters than nodes.
void check_clusters(std::int64_t clusters, std::int64_t nodes);

/// Throws invalid_argument unless `initial` is empty or has, for every node, a number from −1 to clusters −
/// 1.
void check_labels_fit(std::span<const std::int32_t> initial, std::int64_t clusters, std::int64_t nodes);

/// The same, and each cluster has at least one node with edges.
void check_initial(std::span<const std::int32_t> initial, std::int64_t clusters,
                   const ConnectedNodes& connected);

/// First step of every method. check_options(options), beside the method, refuses combinations that the
/// ranges of single fields allow, and run_memory(adjacency, options, context) gives the memory of the run;
/// `advice` names settings that need less. Throws invalid_argument and memory_limit.
template <class Options>
Prepared prepare(CsrView adjacency, const Options& options, std::span<const std::int32_t> initial,
                 std::string_view advice, const Context& context) {
  validate_fields(options);
  check_options(options);
  Prepared out{.adjacency = graph::check_graph(adjacency, context), .initial = initial};
  check_clusters(options.clusters, out.nodes());
  out.memory = run_memory(out.adjacency, options, context);
  context.require_memory(out.memory.bytes, "clustering", advice);
  out.connected = connected_nodes(out.adjacency);
  check_initial(initial, options.clusters, out.connected);
  return out;
}

/// Adds the memory estimate and the structure of the graph to the report. Fills in the labels where no method
/// is needed: one cluster; at least as many clusters as nodes with edges; and, if `components_suffice`,
/// exactly `clusters` components with edges.
void place_without_search(ClusterResult& result, const Prepared& prepared, bool components_suffice);

/// Second step, once every automatic option is settled, so that the report says which values were used. The
/// method has nothing left to do when the result has labels.
template <class Options>
ClusterResult begin_result(std::string algorithm, const Prepared& prepared, const Options& settled,
                           bool components_suffice, const Context& context) {
  ClusterResult result{.clusters = settled.clusters,
                       .report = make_report(std::move(algorithm), context, settled.seed)};
  record_options(result.report, settled);
  place_without_search(result, prepared, components_suffice);
  return result;
}

}  // namespace parsimony::cluster
