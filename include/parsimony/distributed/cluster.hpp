// Clustering over the processes of an MPI run: the labels of one process, from many.
#pragma once

#include "parsimony/cluster/cluster.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/distributed/graph.hpp"
#include "parsimony/distributed/machine_options.hpp"

namespace parsimony::distributed {

/// cluster::cluster() over processes. labels are those of the nodes of this process; all else is that of the
/// whole graph, in every process. The same seed and SIMD target give the labels of one process, for any
/// number of processes and threads, unless that process puts the nodes into another order for its caches
/// (graph::ordering_pays).
///
/// Signals, sums and samples are functions of the position of a node, k-means runs on the sample in process
/// 0, and each product with the Laplacian exchanges the rows of the ghosts: ghosts × 16 or 32 × 4 bytes a
/// step. Memory in each process: as for a graph of its own nodes and ghosts. Method filtered gives k-means
/// all rows, for which process 0 has 8 bytes per node and feature besides.
///
/// Throws as cluster::cluster() in all processes alike; invalid_argument for the methods auto and exact,
/// which need the graph in one process, and unsupported for options that do: clusters auto, error, refine, a
/// warm start, bisection, assign other than nearest; and invalid_argument for column groups that do not
/// divide the processes, or are more than every 16th feature.
cluster::Clustering cluster(const Graph& graph, const cluster::ClusterOptions& options,
                            const MachineOptions& machines = {}, const Context& context = Context{});

/// Throws as cluster() for options that it refuses, before a graph is read.
void check_options(const cluster::ClusterOptions& options, const MachineOptions& machines,
                   const Processes& processes);

}  // namespace parsimony::distributed
