// A text file that the processes read in slices, and the readers of its formats.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/halo.hpp"
#include "distributed/rows.hpp"
#include "graph/assemble.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/distributed/graph.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::distributed {

struct Input {
  std::filesystem::path path;
  const graph::ReadOptions& options;
  const Communicator& communicator;
  const Context& context;
  std::int64_t size = 0;
  std::string head;  ///< whole lines from the begin of the file, the same in all processes
  HaloKind halo;

  std::string name() const { return path.string(); }
  graph::MemoryBudget budget() const { return {name(), context}; }
  /// Throws unsupported with the name of the file.
  [[noreturn]] void fail(std::string_view what) const;
  /// Reads a head of this many bytes, or the whole file, and on to the end of the first line that is not a
  /// comment. Throws io.
  void read_head(std::int64_t bytes);
};

/// A process's lines of the file from `body` on.
struct Slice {
  std::string bytes;
  std::int64_t first_line = 1;  ///< number of its first line in the file

  graph::Text text(const Input& input) const;
};

/// Throws io and memory_limit in all processes alike. Collective.
Slice own_slice(const Input& input, std::int64_t body);

/// Where a place in the text of the head is in the file: the text begins behind a byte order mark.
std::int64_t place_in_file(const Input& input, const graph::Text& head, std::int64_t place);

/// The graph of these rows, without ids. Collective.
Graph graph_of(const Input& input, GraphRows rows, const AssemblyCounts& counts);

/// Collective; each throws in all processes alike.
Graph read_edge_list(Input& input);
Graph read_matrix_market(const Input& input);
Graph read_metis(const Input& input);

}  // namespace parsimony::distributed
