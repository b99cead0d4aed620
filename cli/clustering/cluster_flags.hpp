// The flags of parsimony cluster.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "clustering/cluster_output.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/distributed/machine_options.hpp"
#include "parsimony/graph/file.hpp"
#include "support/run_flags.hpp"

namespace parsimony::cli {

struct ClusterSettings {
  std::string input;
  std::string warm_start;
  bool is_points = false;                // --points; settle_cluster_flags() sets it by the file, too
  std::string array;                     // the name of the points in a .npz
  cluster::PointClusterOptions points;   // its member `cluster` serves graphs too
  distributed::MachineOptions machines;  // for several processes
  graph::ReadOptions read;
  ClusterOutput output;
  RunSettings run;
  std::vector<std::string> graph_flags;  // for graphs only
  std::vector<std::string> point_flags;  // for points only

  cluster::ClusterOptions& cluster() { return points.cluster; }
};

/// Adds the flags of the method, of the input and of the output; each method has those that the library says
/// it has.
void add_cluster_flags(CLI::App& app, ClusterSettings& settings);

/// Once the flags are parsed: points take the library's method for them unless another was given. Throws
/// Error(invalid_argument) for flags that have no effect on this input, on the method or beside each other.
void settle_cluster_flags(const CLI::App& app, ClusterSettings& settings);

}  // namespace parsimony::cli
