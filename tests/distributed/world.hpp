// The processes of a test program that mpirun has started.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "distributed/communicator.hpp"
#include "distributed/rows.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::distributed::testing {

/// Set by main().
const Communicator& world();

/// A file of process 0's, in a folder that all processes share and that main() removes.
std::filesystem::path shared_file(const std::string& name, std::string_view bytes);

/// The rows of a graph that every process has whole; each hands in a part of its edges.
GraphRows rows_of(const graph::Graph& graph, HaloKind halo);

/// A random graph that is the same everywhere, with some nodes without edges.
graph::Graph random_graph(std::int64_t nodes, std::int64_t edges, bool weighted, std::uint64_t seed);

}  // namespace parsimony::distributed::testing
