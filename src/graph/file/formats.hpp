// One reader and one writer per file format, on the bytes of the file.
#pragma once

#include <string>

#include "graph/assemble.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::graph {

/// The graph that the entries of a file make, with the ids of its nodes: assemble() for readers.
GraphFile assemble_file(std::vector<EntryBlock>&& blocks, NodeIds ids, const AssembleOptions& options,
                        const MemoryBudget& budget, const Context& context);

/// The way in which these options assemble the entries of a file with or without weights.
AssembleOptions assembling(EntryMeaning meaning, bool weighted, const ReadOptions& options,
                           std::string doubt = {});

/// The ids of the nodes of a matrix, numbered from `first`: those of its rows, or of rows and columns.
NodeIds matrix_ids(std::int64_t rows, std::int64_t columns, bool bipartite, std::int64_t first);

/// Tells that a matrix that is not square is taken for a bipartite graph.
void note_bipartite_matrix(const std::string& file, std::int64_t rows, std::int64_t columns,
                           const Context& context);

/// read_graph() on the decompressed bytes of a file. The name is for messages; its ending tells the format if
/// the options leave that open.
GraphFile parse_graph(std::string bytes, const std::string& name, const ReadOptions& options,
                      const Context& context);

GraphFile parse_edge_list(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                          const Context& context);
GraphFile parse_matrix_market(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                              const Context& context);
GraphFile parse_metis(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                      const Context& context);
GraphFile parse_konect(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                       const Context& context);
GraphFile parse_pajek(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                      const Context& context);
GraphFile parse_graphml(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                        const Context& context);
GraphFile parse_gml(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context);
GraphFile parse_affinity(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                         const Context& context);
GraphFile parse_npz(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context);

/// read_labels() on the bytes of a file.
Labels parse_labels(std::string bytes, const std::string& name, const Context& context);

void print_edge_list(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_csv(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_graphml(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_gml(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_pajek(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_matrix_market(AtomicFile& out, const Graph& graph, const Context& context);
void print_metis(AtomicFile& out, const Graph& graph, const std::string& name, const Context& context);
void print_npz(AtomicFile& out, const Graph& graph, const Context& context);

/// Whether a text begins as a file of KONECT does.
bool is_konect(std::string_view bytes);

/// The format by the first bytes; automatic if they tell none.
FileFormat format_of_content(std::string_view bytes);

/// Throws Error(unsupported) for the bytes of a file that no reader here reads, such as Parquet or UTF-16
/// text: the message names the format and a way to convert it.
void refuse_foreign_bytes(std::string_view bytes, const std::string& name);
/// The same for texts of other formats, such as DIMACS or GEXF.
void refuse_foreign_text(std::string_view text, const std::string& name);

}  // namespace parsimony::graph
