// Clustering over many machines. MPI is in a program of its own, parsimony-mpi, so that parsimony needs none
// of it: parsimony checks the flags and, if mpirun has started several of it, replaces itself by that
// program.
#pragma once

#include <CLI/CLI.hpp>

#include "clustering/cluster_flags.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

/// In parsimony-mpi it clusters; in parsimony it starts that program with the arguments of this one.
int run_cluster_on_machines(const ClusterSettings& settings, const CLI::App& app, Terminal& terminal);

}  // namespace parsimony::cli
