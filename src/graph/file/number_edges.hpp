// Numbers the nodes of edges that are given by the ids of their ends.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "graph/assemble.hpp"
#include "graph/id_index.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

/// One vector for each piece of the text.
template <class Id>
struct IdEdges {
  std::vector<std::vector<Id>> ids;         ///< two for each edge
  std::vector<std::vector<float>> weights;  ///< one for each edge, or none at all
};

struct NumberedEdges {
  std::vector<EntryBlock> blocks;
  NodeIds ids;
};

/// bipartite: the first ends and the second ends are two sets of nodes, and an id in both is two nodes. Words
/// are views into a text that must live until this returns. Consumes the edges.
template <class Id>
NumberedEdges number_edges(IdEdges<Id> edges, bool bipartite, const MemoryBudget& budget,
                           const Context& context) {
  std::array<std::vector<std::vector<Id>>, 2> sides;
  if (bipartite) {
    std::size_t ends = 0;
    for (const std::vector<Id>& piece : edges.ids) ends += piece.size();
    budget.require(static_cast<std::int64_t>(ends * sizeof(Id)));
    for (std::vector<Id>& piece : edges.ids) {
      for (auto& side : sides) side.emplace_back().reserve(piece.size() / 2);
      for (std::size_t i = 0; i < piece.size(); ++i) sides[i % 2].back().push_back(piece[i]);
    }
  }
  const IdIndex<Id> first(bipartite ? sides[0] : edges.ids, budget, context);
  const IdIndex<Id> second(sides[1], budget, context);
  const std::int64_t nodes = first.size() + second.size();
  if (nodes > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {} on both sides; at most 2147483647 are supported",
                                                    budget.file, count_of(nodes, "node")));
  }
  sides = {};
  // The ids of the nodes; words get memory of their own.
  budget.require(nodes * (std::is_same_v<Id, std::string_view> ? 64 : 8));
  NumberedEdges out{std::vector<EntryBlock>(edges.ids.size()),
                    bipartite ? NodeIds::sides(first.names(), second.names()) : first.names()};
  const auto shift = static_cast<std::int32_t>(first.size());
  context.for_blocks(static_cast<std::int64_t>(edges.ids.size()), 1, [&](std::int64_t b, std::int64_t) {
    const std::vector<Id> ids = std::move(edges.ids[b]);
    EntryBlock& block = out.blocks[b];
    block.nodes.resize(ids.size() / 2);
    for (std::size_t edge = 0; edge < ids.size() / 2; ++edge) {
      const Id from = ids[2 * edge], to = ids[2 * edge + 1];
      block.nodes[edge] = {first[from], bipartite ? shift + second[to] : first[to]};
    }
    if (!edges.weights.empty()) block.weights = std::move(edges.weights[b]);
  });
  return out;
}

}  // namespace parsimony::graph
