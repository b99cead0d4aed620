// Clusters a graph, chooses the number of clusters, and prints the label of each node: example_cluster GRAPH
#include "parsimony/cluster/cluster.hpp"

#include <iostream>

#include "parsimony/graph/file.hpp"

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: example_cluster GRAPH\n";
    return 2;
  }
  const auto file = parsimony::graph::read_graph(argv[1]);
  const auto found = parsimony::cluster::cluster(file.graph);
  for (std::int64_t node = 0; node < file.graph.nodes(); ++node) {
    std::cout << file.ids.name(node) << '\t' << found.labels[node] << '\n';
  }
} catch (const parsimony::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
