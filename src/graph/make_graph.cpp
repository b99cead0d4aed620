// Implements make_graph() of parsimony/graph/graph.hpp.
#include <fmt/format.h>

#include <limits>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "graph/assemble.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kEdgesPerBlock = 1 << 16;

void check_nodes(std::int64_t nodes) {
  if (nodes < 0 || nodes > std::numeric_limits<std::int32_t>::max()) {
    refuse(fmt::format("graph: {}; must be 0 to 2147483647", count_of(nodes, "node")));
  }
}

// Entry number `at` goes into the block. `name` says what an entry is called in messages.
void add(EntryBlock& block, const Edge& edge, std::int64_t at, std::int64_t nodes, bool weighted,
         const char* name) {
  if (edge.from < 0 || edge.from >= nodes || edge.to < 0 || edge.to >= nodes) {
    refuse(fmt::format("graph: {} {} is ({}, {}); nodes must be 0 to {}", name, at, edge.from, edge.to,
                       nodes - 1));
  }
  float weight = 1;
  if (!to_weight(edge.weight, weight)) {
    refuse(fmt::format("graph: {} {}, ({}, {}), has weight {}; must be at least 0 and finite", name, at,
                       edge.from, edge.to, edge.weight));
  }
  block.nodes.push_back({edge.from, edge.to});
  if (weighted) block.weights.push_back(weight);
}

Graph assembled(std::vector<EntryBlock>&& blocks, std::int64_t nodes, EntryMeaning meaning, bool weighted,
                const MakeGraphOptions& options, const Context& context) {
  return assemble(std::move(blocks), NodeIds::consecutive(nodes, 0),
                  {meaning, weighted, options.symmetrize, ErrorCode::invalid_argument}, {"graph", context},
                  context)
      .graph;
}

}  // namespace

Graph make_graph(std::int64_t nodes, std::span<const Edge> edges, const MakeGraphOptions& options,
                 const Context& context) {
  check_nodes(nodes);
  const std::int64_t count = std::ssize(edges);
  std::vector<EntryBlock> blocks((count + kEdgesPerBlock - 1) / kEdgesPerBlock);
  context.for_blocks(count, kEdgesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e)
      add(blocks[begin / kEdgesPerBlock], edges[e], e, nodes, true, "edge");
  });
  return assembled(std::move(blocks), nodes, EntryMeaning::edge_list, true, options, context);
}

Graph make_graph(CsrView matrix, const MakeGraphOptions& options, const Context& context) {
  check_shape(matrix);
  const std::int64_t nodes = matrix.rows();
  std::vector<EntryBlock> blocks((nodes + kEdgesPerBlock - 1) / kEdgesPerBlock);
  context.for_blocks(nodes, kEdgesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
        add(blocks[begin / kEdgesPerBlock],
            {static_cast<std::int32_t>(row), matrix.columns[e], matrix.weighted() ? matrix.values[e] : 1.0f},
            e, nodes, matrix.weighted(), "entry");
      }
    }
  });
  return assembled(std::move(blocks), nodes, EntryMeaning::matrix, matrix.weighted(), options, context);
}

}  // namespace parsimony::graph
