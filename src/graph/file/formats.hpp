// One reader and one writer per file format, on the bytes of the file.
#pragma once

#include <string>

#include "graph/assemble.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::graph {

/// What read_graph does once the file is in memory, decompressed; name is for messages and, where the format
/// is automatic, for its ending.
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

/// What read_labels does once the file is in memory.
Labels parse_labels(const std::string& bytes, const std::string& name, std::int64_t max_memory,
                    const Context& context);

void print_edge_list(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context);
void print_matrix_market(AtomicFile& out, const Graph& graph, const Context& context);
void print_metis(AtomicFile& out, const Graph& graph, const std::string& name, const Context& context);
void print_npz(AtomicFile& out, const Graph& graph);

/// The format of a file called so: by its ending, before .gz or .zst; edge_list when that says nothing.
FileFormat format_of(const std::filesystem::path& path);

}  // namespace parsimony::graph
