// An undirected graph: how to make one, how to check one, the names of its nodes and its components.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// An undirected graph without self loops, as a symmetric CSR matrix: neighbours ascend within a row, every
/// edge is in the rows of both its nodes, weights are positive and finite (values empty: all 1). At most 2^31
/// − 1 nodes. Readers, generators and make_graph return such graphs; check_graph tests any other matrix.
struct Graph {
  Csr adjacency;

  std::int64_t nodes() const { return adjacency.rows(); }
  std::int64_t edges() const { return adjacency.entries() / 2; }
  bool weighted() const { return !adjacency.values.empty(); }
  operator CsrView() const { return adjacency; }
};

/// An edge, or an entry of a matrix.
struct Edge {
  std::int32_t from = 0;
  std::int32_t to = 0;
  float weight = 1;
};

struct MakeGraphOptions {
  /// Accept two directions of different weight, or one direction of a CSR matrix only, and take the mean
  /// (W + Wᵀ) / 2. Set it for directed data.
  bool symmetrize = false;
};

/// The graph of these edges among nodes 0..nodes − 1. An edge may be listed in one direction or in both, then
/// with equal weights. Edges listed repeatedly add up, self loops and edges of weight 0 are left out, and a
/// graph whose weights are all 1 has none. O(E log degree) time, about 32 bytes per edge. Throws
/// invalid_argument for a node out of range, a negative or non-finite weight, or contradicting directions:
/// the edge is named.
Graph make_graph(std::int64_t nodes, std::span<const Edge> edges, const MakeGraphOptions& options = {},
                 const Context& context = Context{});

/// The graph of a square CSR matrix whose columns may come in any order and repeat. Both (i, j) and (j, i)
/// must be stored, equal within a relative 1e-6, unless options.symmetrize is set. Otherwise as above.
Graph make_graph(CsrView matrix, const MakeGraphOptions& options = {}, const Context& context = Context{});

/// Returns the view marked as checked, after testing that the matrix is a Graph as described above: offsets
/// that ascend from 0 to the number of columns, columns in range and ascending, no self loop, positive finite
/// weights, and symmetry of pattern and weights to the last bit. A view that is marked already costs nothing,
/// so a run that calls several functions checks its graph once.
///
/// O(N + E) time in one pass over the matrix, in parallel, and no memory. The triangles are compared by a
/// 64-bit fingerprint: an asymmetric matrix passes by accident with probability about 2⁻⁶⁴. Throws
/// invalid_argument with the row, the column and what would be right.
CsrView check_graph(CsrView adjacency, const Context& context = Context{});

/// Weighted degree of every node: the sum of its row, in float64.
std::vector<double> degrees(CsrView adjacency);

/// Names that the nodes 0..N−1 have in their file, in the order of the nodes: ascending numbers, or text in
/// the order of its bytes. In a bipartite graph the left nodes come first, and names begin with "left:" or
/// "right:", so that left 1 and right 1 are two nodes.
class NodeIds {
 public:
  NodeIds() = default;
  static NodeIds consecutive(std::int64_t count, std::int64_t first);  ///< first, first + 1, …
  static NodeIds numbers(std::vector<std::int64_t> ascending);
  static NodeIds strings(std::vector<std::string> ascending);
  static NodeIds sides(NodeIds left, NodeIds right);  ///< for a bipartite graph

  std::int64_t size() const { return count_; }
  std::string name(std::int64_t node) const;
  /// The node of this name, or −1.
  std::int64_t find(std::string_view name) const;
  bool bipartite() const { return !sides_.empty(); }

 private:
  std::int64_t count_ = 0;
  std::int64_t first_ = 0;             // first of consecutive ids
  std::vector<std::int64_t> numbers_;  // empty unless numeric and not consecutive
  std::vector<std::string> strings_;   // empty unless text
  std::vector<NodeIds> sides_;         // empty, or left and right
};

/// Connected components, numbered by their first node. A node without edges is a component of its own. O(N +
/// E) time, 8 N bytes.
struct Components {
  std::vector<std::int32_t> label;  ///< component of every node
  std::int64_t count = 0;
  std::int64_t isolated = 0;  ///< components of one node
};
Components connected_components(CsrView adjacency);

}  // namespace parsimony::graph
