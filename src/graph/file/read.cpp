// Implements read_graph() of parsimony/graph/file.hpp, and what all readers share.
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "core/count_of.hpp"
#include "graph/file/endings.hpp"
#include "graph/file/formats.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::graph {
namespace {

bool is_text_format(FileFormat format) {
  return format != FileFormat::npz && format != FileFormat::affinity;
}

// The first bytes tell the format if the name does not, as for a pipe.
FileFormat format_of(const std::string& bytes, const std::string& name) {
  FileFormat format = format_of_ending(name);
  if (format == FileFormat::edge_list) {
    const FileFormat found = format_of_content(bytes);
    if (found != FileFormat::automatic) format = found;
  }
  if (is_text_format(format)) refuse_foreign_bytes(bytes, name);
  if (format == FileFormat::edge_list) refuse_foreign_text(bytes, name);
  return format;
}

}  // namespace

GraphFile assemble_file(std::vector<EntryBlock>&& blocks, NodeIds ids, const AssembleOptions& options,
                        const MemoryBudget& budget, const Context& context) {
  Assembled assembled = assemble(std::move(blocks), ids, options, budget, context);
  return {.graph = std::move(assembled.graph),
          .ids = std::move(ids),
          .self_loops_dropped = assembled.self_loops_dropped,
          .duplicates_merged = assembled.duplicates_merged,
          .zeros_dropped = assembled.zeros_dropped,
          .loop_weights = std::move(assembled.loop_weights)};
}

AssembleOptions assembling(EntryMeaning meaning, bool weighted, const ReadOptions& options,
                           std::string doubt) {
  return {.meaning = meaning,
          .weighted = weighted && !options.unweighted,
          .symmetrize = options.symmetrize,
          .directed = options.directed,
          .doubt = std::move(doubt)};
}

NodeIds matrix_ids(std::int64_t rows, std::int64_t columns, bool bipartite, std::int64_t first) {
  const NodeIds of_rows = NodeIds::consecutive(rows, first);
  return bipartite ? NodeIds::sides(of_rows, NodeIds::consecutive(columns, first)) : of_rows;
}

void note_bipartite_matrix(const std::string& file, std::int64_t rows, std::int64_t columns,
                           const Context& context) {
  context.log(LogLevel::info, fmt::format("{}: a matrix of {} and {} is read as a bipartite graph: nodes "
                                          "left:… for its rows, right:… for its columns",
                                          file, count_of(rows, "row"), count_of(columns, "column")));
}

GraphFile parse_graph(std::string bytes, const std::string& name, const ReadOptions& options,
                      const Context& context) {
  const MemoryBudget budget{name, context};
  const FileFormat format = options.format == FileFormat::automatic ? format_of(bytes, name) : options.format;
  if (is_text_format(format)) end_lines_with_newlines(bytes);
  if (options.affinity && format != FileFormat::affinity) {
    throw Error(ErrorCode::invalid_argument, fmt::format("affinity: {} is not a .npy array", name));
  }
  const auto refuse_sides = [&] {
    if (!options.bipartite) return;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("bipartite: {} has one set of nodes; the option is for edge lists and matrices", name));
  };
  if (!options.columns.empty() && format != FileFormat::edge_list && format != FileFormat::csv) {
    refuse(fmt::format("columns: {} is not an edge list; only those have columns to choose", name));
  }
  switch (format) {
    case FileFormat::matrix_market:
      return parse_matrix_market(std::move(bytes), options, budget, context);
    case FileFormat::metis:
      refuse_sides();
      return parse_metis(bytes, options, budget, context);
    case FileFormat::npz:
      return parse_npz(std::move(bytes), options, budget, context);
    case FileFormat::konect:
      return parse_konect(std::move(bytes), options, budget, context);
    case FileFormat::pajek:
      refuse_sides();
      return parse_pajek(bytes, options, budget, context);
    case FileFormat::graphml:
      refuse_sides();
      return parse_graphml(bytes, options, budget, context);
    case FileFormat::gml:
      refuse_sides();
      return parse_gml(bytes, options, budget, context);
    case FileFormat::affinity:
      refuse_sides();
      if (options.format == FileFormat::automatic && !options.affinity) {
        throw Error(
            ErrorCode::format,
            fmt::format("{}: is a .npy array, which holds points; option affinity reads a square matrix of "
                        "similarities as a graph",
                        name));
      }
      return parse_affinity(bytes, options, budget, context);
    default:
      return parse_edge_list(std::move(bytes), options, budget, context);
  }
}

GraphFile read_graph(const std::filesystem::path& path, const ReadOptions& options, const Context& context) {
  validate_fields(options);
  if (options.directed && options.symmetrize) {
    refuse("directed: takes the sum of both directions of an edge, symmetrize their mean; set one of them");
  }
  try {
    return parse_graph(read_file(path, context.memory_left(), context.stop), path.string(), options, context);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("{}: reading it needs more memory than there is", path.string()));
  } catch (const std::length_error&) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("{}: reading it needs more memory than there is", path.string()));
  }
}

}  // namespace parsimony::graph
