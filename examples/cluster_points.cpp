// Clusters points and writes their labels: example_cluster_points POINTS LABELS
#include <iostream>

#include "parsimony/cluster/cluster.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/point_file.hpp"

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: example_cluster_points POINTS LABELS.txt\n";
    return 2;
  }
  const auto points = parsimony::graph::read_points(argv[1]);  // one a row, of .npy, .npz or CSV
  parsimony::cluster::PointClusterOptions options;
  options.cluster.clusters = 10;
  const auto found = parsimony::cluster::cluster_points(points.rows, options);
  const auto rows = parsimony::graph::NodeIds::consecutive(points.rows.rows(), 0);
  parsimony::graph::write_labels(argv[2], rows, found.labels);
} catch (const parsimony::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
