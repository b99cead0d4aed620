// Connected components in clustering: which are divided, which are a cluster, and which join one.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::cluster {

enum class ComponentRule {
  automatic,  ///< apportion_clusters(): small components leave the clusters to the large ones
  whole       ///< the method gets the whole graph, as in the papers: small components take clusters
};

constexpr auto names_of(ComponentRule) {
  using enum ComponentRule;
  return enum_names<ComponentRule>({{automatic, "auto"}, {whole, "whole"}});
}

/// The components of a graph and their sizes.
struct ComponentSizes {
  graph::Components components;
  std::vector<double> volume;       ///< sum of the weighted degrees; 0 for a node without edges
  std::vector<std::int64_t> nodes;  ///< number of nodes
};
ComponentSizes component_sizes(CsrView adjacency);

/// A component with several clusters is divided, one with one is a cluster, one with none joins a cluster.
struct Apportionment {
  std::vector<std::int64_t> clusters;     ///< clusters per component; 0 for nodes without edges
  std::int64_t clusters_of_isolated = 0;  ///< clusters of nodes without edges alone
};

/// Hands out k clusters one by one, as D'Hondt's rule hands out seats: the next goes to the component with
/// the largest volume / (clusters it has + 1), of equal ones to the first. The volume of a component that has
/// none counts five times. So two components are two clusters if the smaller has at least a tenth of the
/// volume of the larger, and beside a large component that is divided, another gets a cluster if it has a
/// fifth of the mean volume of those clusters.
///
/// As long as others can take the rest, a component of n nodes gets at most max(1, n / 5) clusters. Then
/// nodes without edges get clusters, and when each of these is one, larger components are divided further.
///
/// O((C + k) log C) time for C components. Throws invalid_argument unless k is from 1 to the number of nodes.
Apportionment apportion_clusters(const ComponentSizes& sizes, std::int64_t clusters);

}  // namespace parsimony::cluster
