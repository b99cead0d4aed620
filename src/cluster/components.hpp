// The one place where components are set aside, around every method.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cluster/method_table.hpp"
#include "parsimony/cluster/components.hpp"
#include "parsimony/core/processes.hpp"

namespace parsimony::cluster {

/// Marks the nodes of the components that the choice of k looks at. A component counts if its volume is at
/// least a tenth of that of the largest one; each smaller one would be a cluster of its own.
std::vector<float> marks_of_large(const ComponentSizes& sizes);

/// k for the whole graph, if the large components have `clusters`: one more for each other component with a
/// fifth of the mean volume of these clusters.
std::int64_t with_other_components(const ComponentSizes& sizes, std::int64_t clusters);

/// Bytes of the graph of some components alone.
std::int64_t part_bytes(CsrView adjacency);

/// The eigenvalues of the part of the graph that the choice of k has looked at.
struct KnownSpectrum {
  std::vector<float> marks;  ///< its nodes; empty: nothing is known
  std::int64_t clusters = 0;
  double lambda_k = 0;  ///< for so many clusters; 0: the method settles it
  const spectral::SpectralDensity* density = nullptr;
};

/// Runs the method on the divided components alone, as on a graph of their own, and gives every other
/// component its cluster. A component that joins goes to the cluster of the smallest volume, where it costs
/// the least modularity, the larger ones first; nodes without edges share the cluster of the fewest nodes.
///
/// adjacency: checked, with several components. The spectrum is used if it is that of the divided nodes.
/// Clusters of a warm start keep their numbers. Logs one message about the components, unless each is a
/// cluster.
ClusterResult cluster_by_components(CsrView adjacency, const ComponentSizes& sizes, ClusterOptions options,
                                    const KnownSpectrum& known, const Context& context);

/// Runs the method on the marked nodes of this process alone, as on a graph of their own; returns the labels
/// of these nodes, in their order.
using RunOnPart = std::function<ClusterResult(std::span<const float> marks, const ClusterOptions& options,
                                              const MethodInputs& inputs)>;

/// The same where the nodes may be shared out over processes: sizes.components.label and degree are those of
/// the nodes of this process, and so are the labels.
ClusterResult cluster_by_components(const ComponentSizes& sizes, std::span<const double> degree,
                                    ClusterOptions options, const KnownSpectrum& known, const RunOnPart& run,
                                    const Processes& processes, const Context& context);

/// Logs a warning if a graph of several components was clustered as a whole.
void note_components(const ClusterResult& result, const Context& context);

}  // namespace parsimony::cluster
