#include "parsimony/partition/aggregate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "partition/cluster_weights.hpp"
#include "partition/members.hpp"

namespace parsimony::partition {
namespace {

constexpr std::int64_t kFewestBlocks =
    256;  // at least, so that a few large clusters find threads of their own
constexpr std::int64_t kMostClustersPerBlock = 256;
constexpr std::int64_t kNodesPerBlock = 1 << 13;

struct Edge {
  std::int32_t to;
  float weight;
};

// The sum of two clusters is taken from the side of the smaller label alone: from the other side it would be
// added in another order, and could differ in its last bit.
struct UpperRows {
  std::vector<std::int64_t> counts;  // entries of the rows of a block
  std::vector<Edge> edges;
};

}  // namespace

Network aggregate(const NetworkView& network, std::span<const std::int32_t> labels, std::int64_t clusters,
                  const Context& context) {
  const std::int64_t nodes = network.nodes();
  if (std::ssize(labels) != nodes) {
    refuse(
        fmt::format("labels: {} for {}; there must be one per node", labels.size(), count_of(nodes, "node")));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (labels[i] < 0 || labels[i] >= clusters) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("labels: {} of node {} is out of range; must be 0 to {}", labels[i], i, clusters - 1));
    }
  }

  const Members members = members_of(labels, clusters);
  const CsrView& a = network.adjacency;
  Network out;
  out.total = network.total;
  out.degree.resize(clusters);
  out.loop.resize(clusters);
  const std::int64_t block = std::clamp<std::int64_t>(clusters / kFewestBlocks, 1, kMostClustersPerBlock);
  std::vector<UpperRows> blocks((clusters + block - 1) / block);
  Pool<ClusterWeights> pool;
  context.for_blocks(clusters, block, [&](std::int64_t begin, std::int64_t end) {
    const auto loan = pool.borrow();
    ClusterWeights& weights = *loan;
    UpperRows& rows = blocks[begin / block];
    rows.counts.resize(end - begin);
    for (std::int64_t r = begin; r < end; ++r) {
      std::int64_t entries = 0;
      for (const std::int32_t i : members.of(r)) entries += a.offsets[i + 1] - a.offsets[i];
      weights.reset(std::min(entries, clusters - r));
      for (const std::int32_t i : members.of(r)) {
        out.degree[r] += network.degree[i];
        out.loop[r] += network.loop_of(i);
        for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
          const std::int32_t to = labels[a.columns[e]];
          const double weight = a.weighted() ? a.values[e] : 1.0;
          if (to == r) {
            out.loop[r] += weight;
          } else if (to > r) {
            weights.add(to, weight);
          }
        }
      }
      const std::size_t first = rows.edges.size();
      for (std::size_t c = 0; c < weights.clusters().size(); ++c) {
        const double most = std::numeric_limits<float>::max();
        rows.edges.push_back(
            {weights.clusters()[c], static_cast<float>(std::min(weights.weights()[c], most))});
      }
      std::sort(rows.edges.begin() + static_cast<std::ptrdiff_t>(first), rows.edges.end(),
                [](const Edge& x, const Edge& y) { return x.to < y.to; });
      rows.counts[r - begin] = static_cast<std::int64_t>(rows.edges.size() - first);
    }
  });

  // Row r has the entries that smaller rows have in column r, in their order, and then its own upper half.
  out.adjacency.offsets.assign(clusters + 1, 0);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t r = 0; r < blocks[b].counts.size(); ++r) {
      out.adjacency.offsets[b * block + r + 1] += blocks[b].counts[r];
    }
    for (const Edge& edge : blocks[b].edges) ++out.adjacency.offsets[edge.to + 1];
  }
  for (std::int64_t r = 0; r < clusters; ++r) out.adjacency.offsets[r + 1] += out.adjacency.offsets[r];
  out.adjacency.columns.resize(out.adjacency.offsets[clusters]);
  out.adjacency.values.resize(out.adjacency.offsets[clusters]);
  std::vector<std::int64_t> at(out.adjacency.offsets.begin(), out.adjacency.offsets.end() - 1);
  const auto put = [&](std::int64_t row, std::int32_t column, float weight) {
    out.adjacency.columns[at[row]] = column;
    out.adjacency.values[at[row]++] = weight;
  };
  std::int64_t row = 0;
  for (UpperRows& rows : blocks) {
    context.check_cancelled();
    const Edge* edge = rows.edges.data();
    for (const std::int64_t count : rows.counts) {
      for (std::int64_t e = 0; e < count; ++e, ++edge) {
        put(row, edge->to, edge->weight);
        put(edge->to, static_cast<std::int32_t>(row), edge->weight);
      }
      ++row;
    }
    rows.edges = {};
  }
  return out;
}

std::vector<std::int32_t> project(std::span<const std::int32_t> parts, std::span<const std::int32_t> coarse) {
  std::vector<std::int32_t> out(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) out[i] = coarse[parts[i]];
  return out;
}

Network within_clusters(const NetworkView& network, std::span<const std::int32_t> labels,
                        const Context& context) {
  const std::int64_t nodes = network.nodes();
  const CsrView& a = network.adjacency;
  Network out;
  out.degree.assign(network.degree.begin(), network.degree.end());
  out.loop.assign(network.loop.begin(), network.loop.end());
  out.total = network.total;
  out.adjacency.offsets.assign(nodes + 1, 0);
  context.for_blocks(nodes, kNodesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        out.adjacency.offsets[i + 1] += labels[a.columns[e]] == labels[i];
      }
    }
  });
  for (std::int64_t i = 0; i < nodes; ++i) out.adjacency.offsets[i + 1] += out.adjacency.offsets[i];
  out.adjacency.columns.resize(out.adjacency.offsets[nodes]);
  if (a.weighted()) out.adjacency.values.resize(out.adjacency.offsets[nodes]);
  context.for_blocks(nodes, kNodesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t at = out.adjacency.offsets[i];
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        if (labels[a.columns[e]] != labels[i]) continue;
        out.adjacency.columns[at] = a.columns[e];
        if (a.weighted()) out.adjacency.values[at] = a.values[e];
        ++at;
      }
    }
  });
  return out;
}

}  // namespace parsimony::partition
