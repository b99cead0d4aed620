// Assembles a graph from entries in any order: sorts and merges them, drops self loops and checks symmetry.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

/// The file that is read, named in messages, and the memory that reading it may take.
struct MemoryBudget {
  std::string file;
  const Context& context;

  /// Throws memory_limit unless a stage may take this many bytes more than are in use.
  void require(std::int64_t bytes) const;
};

/// A part of the entries. The result does not depend on their order or on how they are cut into blocks.
struct EntryBlock {
  std::vector<std::array<std::int32_t, 2>> nodes;
  std::vector<float> weights;  ///< one per entry, at least 0 and finite; empty for unweighted entries
};

enum class EntryMeaning {
  edge_list,  ///< each entry is an edge; both directions may be listed, with equal weights
  triangle,   ///< each entry is an edge; the order of its nodes does not matter
  matrix      ///< each entry is an element of W; its mirror must be listed too
};

struct AssembleOptions {
  EntryMeaning meaning = EntryMeaning::edge_list;
  /// Repeated entries add up; otherwise they count once, and weights only tell zeros from ones.
  bool weighted = false;
  bool symmetrize = false;              ///< take the mean of both directions where they differ
  ErrorCode fault = ErrorCode::format;  ///< code of the error for entries that contradict each other
  bool directed = false;                ///< take the sum of both directions, except of a triangle
  /// A doubt about the weights: a warning where the entries make a graph, and the reason where they
  /// contradict each other.
  std::string doubt = {};
};

/// A graph and the entries that are not in it.
struct Assembled {
  Graph graph;  ///< without weights when all of them are 1
  std::int64_t self_loops_dropped = 0;
  std::int64_t duplicates_merged = 0;  ///< entries beyond the first of an edge; for matrix, of a place
  std::int64_t zeros_dropped = 0;      ///< entries of weight 0
  std::vector<double> loop_weights;    ///< one per node, as repeated entries count; empty without self loops
};

/// Consumes the blocks. ids: names of all nodes, for messages.
/// Throws Error(options.fault) for asymmetric entries and for sums beyond float32, and memory_limit. O(E log
/// degree) time.
Assembled assemble(std::vector<EntryBlock>&& blocks, const NodeIds& ids, const AssembleOptions& options,
                   const MemoryBudget& budget, const Context& context);

/// Entries between two nodes that contradict each other, or whose weights add up beyond float32.
struct EntryFault {
  std::int32_t row = 0, neighbor = 0;
  std::array<double, 2> sum{};  ///< weights from row to neighbor, and back
  std::array<std::int64_t, 2> count{};
  bool beyond_float = false;

  /// from, to: the names of row and neighbor.
  std::string message(const std::string& file, const std::string& from, const std::string& to,
                      const std::string& doubt) const;
};

/// Rows first to last − 1 of the graph that assemble() makes, from all entries that have a node among them,
/// and perhaps others; columns are nodes of the whole graph. The values are left out if they are all 1.
/// Throws EntryFault for the first row that has one, and memory_limit.
Csr assemble_part(std::vector<EntryBlock>&& blocks, std::int64_t first, std::int64_t last,
                  const AssembleOptions& options, const MemoryBudget& budget, const Context& context);

/// Throws invalid_argument unless the matrix is a square CSR matrix of at most 2^31 − 1 rows: offsets ascend
/// from 0 to the number of columns, and there is a value for each column or none at all.
void check_shape(CsrView matrix);

/// Rounds a weight to float32. A positive weight below the smallest normal float32 becomes that number, so
/// that no edge is lost. Returns false unless the weight is at least 0 and finite in float32.
bool to_weight(double value, float& weight);

}  // namespace parsimony::graph
