// A graph whose rows are shared out over the processes of an MPI run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/processes.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::distributed {

struct GraphRows;

/// Node i of the graph is node i of graph::read_graph() on the same file; each process holds a range of the
/// nodes with their edges.
struct Graph {
  std::shared_ptr<const GraphRows> rows;
  std::int64_t nodes = 0;  ///< all of them, as everything here that is not "own"
  std::int64_t edges = 0;
  bool weighted = false;
  std::int64_t ghosts = 0;  ///< rows of others that the processes receive, summed over them
  std::int64_t self_loops_dropped = 0, duplicates_merged = 0, zeros_dropped = 0;
  /// A part of the names of all nodes, in their order over the processes: integers, or words; both empty if
  /// the names are the numbers first_id, first_id + 1, …
  std::vector<std::int64_t> ids;
  std::vector<std::string> words;
  std::int64_t first_id = 0;

  std::int64_t first() const;  ///< first node of this process
  std::int64_t own() const;    ///< number of its nodes
  /// The names of all nodes, in process 0. Collective.
  graph::NodeIds collect_ids(const Processes& processes) const;
};

/// Reads a Matrix Market file, a METIS file or an edge list, plain text, in slices of bytes: each process
/// reads and parses about size / processes bytes, and the edges then go to the processes that hold their
/// nodes. Ids of an edge list are numbered by a sort over the processes. O(E log degree / processes) time;
/// memory in each process about a slice, and 60 bytes for each of its edges, 150 with ids that are words.
///
/// options: format, columns and unweighted, as for graph::read_graph. Throws as graph::read_graph, in all
/// processes alike; unsupported for compressed files, other formats and options.
Graph read_graph(const std::filesystem::path& path, const graph::ReadOptions& options,
                 const Processes& processes, const Context& context = Context{});

}  // namespace parsimony::distributed
