// An undirected graph and the names of its nodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// Undirected, without self loops: a symmetric CSR with ascending neighbours, every edge in both rows,
/// weights positive and finite (values empty: all 1). At most 2^31 − 1 nodes, 2^63 − 1 entries.
struct Graph {
  Csr adjacency;

  std::int64_t nodes() const { return adjacency.rows(); }
  std::int64_t edges() const { return adjacency.entries() / 2; }
  bool weighted() const { return !adjacency.values.empty(); }
  operator CsrView() const { return adjacency; }
};

/// Weighted degree of every node: the sum of its row, in float64.
std::vector<double> degrees(CsrView adjacency);

/// How the nodes 0..N−1 are called in the file they came from, in the order of the nodes: numbers ascending,
/// or text in the order of its bytes.
class NodeIds {
 public:
  NodeIds() = default;
  static NodeIds consecutive(std::int64_t count, std::int64_t first);  ///< first, first + 1, …
  static NodeIds numbers(std::vector<std::int64_t> ascending);
  static NodeIds strings(std::vector<std::string> ascending);

  std::int64_t size() const { return count_; }
  std::string name(std::int64_t node) const;
  /// The node called so, or −1.
  std::int64_t find(std::string_view name) const;

 private:
  std::int64_t count_ = 0;
  std::int64_t first_ = 0;             // of consecutive ids
  std::vector<std::int64_t> numbers_;  // empty unless numeric and not consecutive
  std::vector<std::string> strings_;   // empty unless text
};

/// Connected components: label of every node (numbered by their first node) and their count. A node without
/// edges is a component of its own. O(N + E) time, 8 N bytes.
struct Components {
  std::vector<std::int32_t> label;
  std::int64_t count = 0;
  std::int64_t isolated = 0;  ///< components of one node
};
Components connected_components(CsrView adjacency);

}  // namespace parsimony::graph
