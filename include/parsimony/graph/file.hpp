// Graph files: edge lists, Matrix Market, METIS, SciPy .npz; plain, gzip or zstd.
#pragma once

#include <cstdint>
#include <filesystem>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

enum class FileFormat { automatic, edge_list, matrix_market, metis, npz };

constexpr auto names_of(FileFormat) {
  using enum FileFormat;
  return enum_names<FileFormat>({{automatic, "auto"},
                                 {edge_list, "edge_list"},
                                 {matrix_market, "matrix_market"},
                                 {metis, "metis"},
                                 {npz, "npz"}});
}

struct ReadOptions {
  /// automatic: by the ending (before .gz or .zst), else by the first bytes of .mtx and .npz, else an edge
  /// list. Set it for names that say nothing, such as a pipe.
  FileFormat format = FileFormat::automatic;
  bool symmetrize = false;      ///< accept W ≠ Wᵀ and use (W + Wᵀ) / 2; set it for directed graphs
  std::int64_t max_memory = 0;  ///< bytes the reader may use; 0: no limit
};

template <OptionsOf<ReadOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"format", "format of the graph; auto: by the ending of the file, or its first bytes"},
        options.format);
  visit(Field{"symmetrize", "replace a matrix W that is not symmetric by (W + Wᵀ) / 2"}, options.symmetrize);
  visit(Field{"max_memory", "bytes the reader may use; 0: no limit", 0, 9e18}, options.max_memory);
}

struct GraphFile {
  Graph graph;  ///< without weights if all of them are 1
  NodeIds ids;
  std::int64_t self_loops_dropped = 0;
  std::int64_t duplicates_merged = 0;  ///< entries beyond the first for an edge, or for a place of a matrix
  std::int64_t zeros_dropped = 0;      ///< edges of weight 0
};

/// Reads a graph. docs/formats/graphs.md describes the treatment of self loops, repetitions, directions and
/// weights.
///
/// Every fault throws Error(io | format | unsupported | memory_limit) with the file and the line, or the
/// entry of a binary file; if several lines are bad, the first is named. The result depends on the file
/// alone. Time O(E log degree); memory about the text (until it is parsed) plus 32 bytes per edge, 40 if
/// weighted.
GraphFile read_graph(const std::filesystem::path& path, const ReadOptions& options = {},
                     const Context& context = Context{});

/// Writes .mtx, .graph, .npz or, with any other ending, an edge list; .gz and .zst compress. The file is
/// written under a temporary name and then renamed. Edge lists keep the ids; .mtx and .graph number the nodes
/// from 1, .npz from 0, and a message tells so if the ids are neither 0, 1, … nor 1, 2, …. Reading the file
/// gives the same graph. Throws invalid_argument for values that the format cannot hold, and io.
void write_graph(const std::filesystem::path& path, const GraphFile& file,
                 const Context& context = Context{});

}  // namespace parsimony::graph
