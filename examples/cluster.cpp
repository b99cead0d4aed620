#include <iostream>

#include "parsimony/cluster/compressive.hpp"
#include "parsimony/graph/file.hpp"

int main(int, char** argv) {
  const auto file = parsimony::graph::read_graph(argv[1]);
  const auto result = parsimony::cluster::compressive_spectral_clustering(file.graph, {.clusters = 50});
  for (std::int64_t node = 0; node < file.graph.nodes(); ++node) {
    std::cout << file.ids.name(node) << '\t' << result.labels[node] << '\n';
  }
}
