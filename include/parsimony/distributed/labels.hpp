// Writing the labels of a graph whose nodes are shared out over processes.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/output_file.hpp"
#include "parsimony/core/processes.hpp"
#include "parsimony/distributed/graph.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::distributed {

/// The file that graph::write_labels() writes for the labels of all nodes. labels: those of the nodes of this
/// process. A plain .npy file is written by all processes at once, each its own part, by MPI-IO; process 0
/// collects the labels for any other. The file appears, or joins the set of `path`, when it is whole. `path`
/// counts in process 0. Throws io in all processes alike. Collective.
void write_labels(const OutputPath& path, const Graph& graph, std::span<const std::int32_t> labels,
                  const Processes& processes, const graph::WriteLabelsOptions& options = {});

}  // namespace parsimony::distributed
