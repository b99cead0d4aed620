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
                        const MemoryBudget& budget, std::int64_t held, const Context& context);

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
GraphFile parse_npz(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context);

/// read_labels() on the bytes of a file.
Labels parse_labels(const std::string& bytes, const std::string& name, std::int64_t max_memory,
                    const Context& context);

void print_edge_list(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_matrix_market(AtomicFile& out, const Graph& graph, const Context& context);
void print_metis(AtomicFile& out, const Graph& graph, const std::string& name, const Context& context);
void print_npz(AtomicFile& out, const Graph& graph);

/// The format by the ending of a name, before .gz or .zst; edge_list for an unknown ending.
FileFormat format_of(const std::filesystem::path& path);

}  // namespace parsimony::graph
