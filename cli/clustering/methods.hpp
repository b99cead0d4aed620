// The clustering methods on the command line: their options, what they need, and the run of the one chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "parsimony/cluster/automatic.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/exact.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/cluster/number_of_clusters.hpp"
#include "parsimony/graph/file.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

/// One flag sets the fields of its name in the options of all methods.
struct MethodSettings {
  std::string method = "auto";
  cluster::AutomaticOptions automatic;
  cluster::CompressiveOptions compressive;
  cluster::FilteredOptions filtered;
  cluster::ExactOptions exact;
  cluster::NumberOfClustersOptions choice;  // of --clusters auto
  std::string warm_start;
  bool points = false;    ///< samples that are not given follow from the clusters as for points
  std::int64_t held = 0;  ///< bytes of the caller beside the graph, for --max-memory

  std::int64_t max_memory() const { return automatic.max_memory; }
  std::uint64_t seed() const { return automatic.seed; }
};

/// Adds --method, the flags of every method, those of --clusters auto, and --warm-start.
Flags add_method_flags(CLI::App& app, MethodSettings& settings);

/// Throws Error(invalid_argument) for flags that do not go together.
void check_method_flags(const CLI::App& app, const Flags& flags, const MethodSettings& settings);

/// Gives the flags that were not given the defaults that suit points; the method is then compressive, which
/// follows clusters of any shape as auto does not (docs/points.md).
void suit_points(const CLI::App& app, MethodSettings& settings);

/// Bytes of the graph and the ids of its nodes.
std::int64_t graph_bytes(const graph::GraphFile& file);

struct Clustering {
  cluster::ClusterResult result;
  std::optional<cluster::ClusterChoice> choice;  // of --clusters auto
};

/// The number of clusters where it is to be chosen, then the method. Before each, --max-memory, which is for
/// the whole command: the library's estimates leave out the graph, which the caller holds. What the choice
/// did is in the report of the result.
Clustering cluster_graph(MethodSettings settings, const graph::GraphFile& file, const Context& context);

}  // namespace parsimony::cli
