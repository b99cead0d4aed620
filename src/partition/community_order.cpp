#include "parsimony/partition/community_order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/graph/reorder.hpp"
#include "parsimony/partition/leiden.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition {
namespace {

constexpr std::int64_t kCut = 1024;  // spectral::kRowsPerSum, at whose multiples processes cut a graph
constexpr std::int64_t kParts[] = {2, 4, 16, 64};

std::vector<double> ghost_shares(CsrView adjacency) {
  std::vector<double> out;
  for (const std::int64_t parts : kParts) out.push_back(ghost_share(adjacency, parts));
  return out;
}

}  // namespace

double ghost_share(CsrView adjacency, std::int64_t parts) {
  if (parts < 1) refuse("parts: must be at least 1");
  const std::int64_t nodes = adjacency.rows(), blocks = (nodes + kCut - 1) / kCut;
  std::vector<std::int64_t> seen(nodes, -1);  // the last part that needed the node
  std::int64_t ghosts = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = std::min(nodes, blocks * part / parts * kCut);
    const std::int64_t end = std::min(nodes, blocks * (part + 1) / parts * kCut);
    for (std::int64_t e = adjacency.offsets[begin]; e < adjacency.offsets[end]; ++e) {
      const std::int32_t column = adjacency.columns[e];
      if (column >= begin && column < end) continue;
      ghosts += std::exchange(seen[column], part) != part;
    }
  }
  return nodes > 0 ? static_cast<double>(ghosts) / static_cast<double>(nodes) : 0;
}

CommunityOrder order_by_communities(CsrView adjacency, const CommunityOrderOptions& options,
                                    const Context& context) {
  validate_fields(options);
  CommunityOrder out{
      .order = {}, .graph = {}, .report = make_report("order by communities", context, options.seed)};
  record_options(out.report, options);
  const GraphNetwork network = make_network(adjacency, context);
  StageTimer finding(out.report, "communities");
  const Partition found =
      leiden(network, {.resolution = options.resolution, .seed = options.seed}, context).partition;
  finding.finish();
  const StageTimer ordering(out.report, "order");
  const std::int64_t nodes = network.nodes();
  const std::vector<std::int32_t> balls = graph::ball_order(adjacency);
  std::vector<std::int32_t> place(nodes);
  for (std::int64_t i = 0; i < nodes; ++i) place[balls[i]] = static_cast<std::int32_t>(i);
  std::vector<double> mean(found.clusters());
  for (std::int64_t i = 0; i < nodes; ++i) {
    mean[found.labels[i]] +=
        static_cast<double>(place[i]) / static_cast<double>(found.sizes[found.labels[i]]);
  }
  out.order.resize(nodes);
  std::iota(out.order.begin(), out.order.end(), 0);
  std::sort(out.order.begin(), out.order.end(), [&](std::int32_t a, std::int32_t b) {
    const std::int32_t first = found.labels[a], second = found.labels[b];
    if (first == second) return place[a] < place[b];
    return std::pair(mean[first], first) < std::pair(mean[second], second);
  });
  out.graph.adjacency = graph::reordered(adjacency, out.order, context);
  out.report.figures.emplace_back("communities", found.clusters());
  out.report.figures.emplace_back("parts", std::vector<double>(std::begin(kParts), std::end(kParts)));
  out.report.figures.emplace_back("ghosts_before", ghost_shares(adjacency));
  out.report.figures.emplace_back("ghosts_after", ghost_shares(out.graph));
  return out;
}

}  // namespace parsimony::partition
