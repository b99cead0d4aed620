#include "parsimony/partition/network.hpp"

#include <numeric>

#include "parsimony/graph/graph.hpp"

namespace parsimony::partition {

GraphNetwork make_network(CsrView adjacency, const Context& context) {
  constexpr std::int64_t kRowsPerBlock = 1 << 13;
  adjacency = graph::check_graph(adjacency, context);
  GraphNetwork out{adjacency, std::vector<double>(adjacency.rows()), 0};
  context.for_blocks(adjacency.rows(), kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = adjacency.offsets[i], last = adjacency.offsets[i + 1];
      if (adjacency.weighted()) {
        for (std::int64_t e = first; e < last; ++e) out.degree[i] += adjacency.values[e];
      } else {
        out.degree[i] = static_cast<double>(last - first);
      }
    }
  });
  out.total = std::accumulate(out.degree.begin(), out.degree.end(), 0.0);
  return out;
}

}  // namespace parsimony::partition
