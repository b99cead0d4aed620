// Graphs of formats that list their nodes by name: Pajek, GML, GraphML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/file/formats.hpp"

namespace parsimony::graph {

/// Nodes in the order of the file, and edges by their numbers there.
class NamedGraph {
 public:
  /// Appends a node. Returns false if one of this name is there already, or if there are 2^31 − 1.
  bool add_node(std::string name);
  /// Makes the graph one of `count` nodes with the names 1, 2, …; it must have no nodes. find() does not know
  /// them.
  void number_nodes(std::int64_t count) { numbered_ = count; }
  /// The number of the node of this name, or −1.
  std::int64_t find(const std::string& name) const;
  std::int64_t nodes() const { return numbered_ > 0 ? numbered_ : static_cast<std::int64_t>(names_.size()); }
  /// Appends an edge with a weight, or without one; beside edges that have one it then weighs 1.
  void add_edge(std::int64_t from, std::int64_t to);
  void add_edge(std::int64_t from, std::int64_t to, float weight);
  void set_directed() { directed_ = true; }
  bool directed() const { return directed_; }

  /// The graph with its nodes in the order of their names, which are numbers if all are. Edges of a directed
  /// graph are taken as those of an edge list, and a message says so. Throws as assemble_file().
  GraphFile assemble(const ReadOptions& options, const MemoryBudget& budget, const Context& context) &&;

 private:
  NodeIds sort_names(std::vector<std::int32_t>& place);

  std::int64_t numbered_ = 0;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> numbers_;
  EntryBlock edges_;
  bool weighted_ = false;
  bool directed_ = false;
};

/// Reads a weight, which a file may give as text. Returns false unless it is finite and at least 0.
bool parse_weight(std::string_view text, float& weight);

/// Whether a name has no control characters and is valid UTF-8.
bool is_plain_name(std::string_view name);

}  // namespace parsimony::graph
