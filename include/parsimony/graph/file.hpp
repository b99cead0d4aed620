// Graph files: edge lists, Matrix Market, METIS, SciPy .npz and others; plain, gzip or zstd.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

enum class FileFormat {
  automatic,
  edge_list,
  csv,
  matrix_market,
  metis,
  npz,
  konect,
  pajek,
  graphml,
  gml,
  affinity
};

constexpr auto names_of(FileFormat) {
  using enum FileFormat;
  return enum_names<FileFormat>({{automatic, "auto"},
                                 {edge_list, "edge_list"},
                                 {csv, "csv"},
                                 {matrix_market, "matrix_market"},
                                 {metis, "metis"},
                                 {npz, "npz"},
                                 {konect, "konect"},
                                 {pajek, "pajek"},
                                 {graphml, "graphml"},
                                 {gml, "gml"},
                                 {affinity, "affinity"}});
}

struct ReadOptions {
  /// automatic: by the ending (before .gz or .zst), else by the first bytes, else an edge list. Files of
  /// other formats are then recognised and refused with a way to convert them.
  FileFormat format = FileFormat::automatic;
  /// Columns of an edge list: source,target or source,target,weight, by numbers from 1 or by the names in its
  /// first line. Empty: the first two and, if there is a third, the weights, or by the names of a header.
  std::string columns;
  /// Accept W ≠ Wᵀ and use (W + Wᵀ) / 2. Set it for matrices that should be symmetric and are not quite.
  bool symmetrize = false;
  /// Take the entries for arcs: an edge weighs the sum of its directions, W + Wᵀ. Set it for directed graphs,
  /// also without weights: an edge in both directions then weighs 2. Not beside symmetrize.
  bool directed = false;
  bool unweighted = false;  ///< leave weights out: repeated entries count once; set it for times or ratings
  /// The first column of an edge list (the rows of a matrix) and the second (the columns) are two sets of
  /// nodes, named left:… and right:…. KONECT files say it themselves, and so does a matrix that is not
  /// square.
  bool bipartite = false;
  /// A .npy array is a square matrix of similarities, with an edge for each value above 0 off the diagonal.
  bool affinity = false;
};

template <OptionsOf<ReadOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"format", "format of the graph; auto: by the ending of the file name, or by the first bytes"},
        options.format);
  visit(
      Field{"columns",
            "columns of an edge list: source,target[,weight], by numbers from 1 or by the names of a header"},
      options.columns);
  visit(Field{"symmetrize", "accept a matrix W that is not symmetric and use (W + W')/2"},
        options.symmetrize);
  visit(Field{"directed", "take entries for arcs: an edge weighs the sum of its two directions, W + W'"},
        options.directed);
  visit(Field{"unweighted", "leave weights out: every edge weighs 1, however often it is listed"},
        options.unweighted);
  visit(Field{"bipartite",
              "the two columns of an edge list, or rows and columns of a matrix, are two sets of "
              "nodes, left:… and right:…"},
        options.bipartite);
  visit(Field{"affinity", "a .npy array is a symmetric matrix of similarities, not points"},
        options.affinity);
}

struct GraphFile {
  Graph graph;  ///< without weights if all of them are 1
  NodeIds ids;
  std::int64_t self_loops_dropped = 0;
  std::int64_t duplicates_merged = 0;  ///< entries beyond the first for an edge, or for a place of a matrix
  std::int64_t zeros_dropped = 0;      ///< edges of weight 0
  std::vector<double> loop_weights;    ///< weight of the dropped self loops of every node; empty without any
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

struct WriteOptions {
  /// automatic: by the ending, before .gz or .zst; an edge list without any ending. Set it for other names.
  FileFormat output_format = FileFormat::automatic;
};

template <OptionsOf<WriteOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"output_format", "format of the graph that is written; auto: by the ending of the file"},
        options.output_format);
}

/// Throws invalid_argument if write_graph has no format for this name, with the endings that it knows, or
/// cannot write the format of the options. Call it before long work.
void check_graph_output(const std::filesystem::path& path, const WriteOptions& options = {});

/// The number that readers of the file give its first node if the format has no names: 0 in .npz, else 1.
std::int64_t first_written_id(const std::filesystem::path& path, const WriteOptions& options = {});

/// Writes a graph: docs/formats/graphs.md lists the endings. .gz and .zst after them compress. The file is
/// written under a temporary name and then renamed. Formats with names of nodes keep the ids; .mtx and .graph
/// number the nodes from 1, .npz from 0, and a message tells so if the ids are neither 0, 1, … nor 1, 2, ….
/// Reading the file gives the same graph. Throws invalid_argument for an unknown ending and for values that
/// the format cannot hold, and io.
void write_graph(const OutputPath& path, const GraphFile& file, const WriteOptions& options = {},
                 const Context& context = Context{});

}  // namespace parsimony::graph
