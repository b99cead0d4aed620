// Graph files: edge lists, Matrix Market, METIS, SciPy .npz; plain, gzip or zstd.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

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
  /// automatic: by ending (before .gz / .zst), else by the first bytes of .mtx and .npz, else edge list
  FileFormat format = FileFormat::automatic;
  bool symmetrize = false;      ///< accept W ≠ Wᵀ and use (W + Wᵀ) / 2 instead
  std::int64_t max_memory = 0;  ///< bytes the reader may use; 0: no limit
};

template <OptionsOf<ReadOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"format", "automatic (by ending or content), edge_list, matrix_market, metis or npz"},
        options.format);
  visit(Field{"symmetrize", "replace a matrix W that is not symmetric by (W + Wᵀ) / 2"}, options.symmetrize);
  visit(Field{"max_memory", "bytes the reader may use; 0: no limit", 0, 9e18}, options.max_memory);
}

struct GraphFile {
  Graph graph;  ///< without weights when all of them are 1
  NodeIds ids;
  std::int64_t self_loops_dropped = 0;
  std::int64_t duplicates_merged = 0;  ///< entries beyond the first of an edge; in a matrix, of a place
  std::int64_t zeros_dropped = 0;      ///< edges of weight 0
};

/// Reads a graph; docs/formats/graphs.md says what is made of loops, repetitions, directions and weights.
///
/// Every fault throws Error(io | format | unsupported | memory_limit) naming the file and the line, or the
/// entry of a binary file; of several bad lines it is the first. Deterministic: the result depends on the
/// file alone. Time O(E log degree), memory about the text (until it is parsed) + 32 bytes an edge, 40 when
/// weighted.
GraphFile read_graph(const std::filesystem::path& path, const ReadOptions& options = {},
                     const Context& context = Context{});

/// Writes .mtx, .graph, .npz or, with any other ending, an edge list; .gz and .zst compress. To a temporary
/// file that is then renamed. Edge lists keep the ids; .mtx and .graph number the nodes from 1, .npz from 0,
/// and a message says so where the ids are neither 0, 1, … nor 1, 2, …. Reading it back gives the same graph.
/// Throws invalid_argument for what a format cannot hold, io.
void write_graph(const std::filesystem::path& path, const GraphFile& file,
                 const Context& context = Context{});

}  // namespace parsimony::graph
