#include "parsimony/graph/reorder.hpp"

#include <algorithm>
#include <utility>

namespace parsimony::graph {
namespace {

constexpr std::int64_t kFewestNodes = 8 * kBallSize;
constexpr std::int64_t kBalls = 8, kRows = 4096;  // size of the sample
constexpr double kShare = 0.5, kGain = 0.3;

auto neighbors(const CsrView& a, std::int64_t node) {
  return a.columns.subspan(a.offsets[node], a.offsets[node + 1] - a.offsets[node]);
}

// Appends to `found` the first nodes that breadth-first search from `seed` meets among those not seen, at
// most kBallSize, and marks them. Returns the place from which on their neighbours were not looked at.
std::size_t grow_ball(const CsrView& a, std::int32_t seed, std::vector<char>& seen,
                      std::vector<std::int32_t>& found) {
  const std::size_t most = found.size() + kBallSize;
  std::size_t at = found.size();
  found.push_back(seed);
  seen[seed] = 1;
  for (; at < found.size(); ++at) {
    for (const std::int32_t next : neighbors(a, found[at])) {
      if (seen[next]) continue;
      if (found.size() == most) return at;
      seen[next] = 1;
      found.push_back(next);
    }
  }
  return at;
}

// Share of the entries of some balls that lead into the same ball.
double share_in_balls(const CsrView& a) {
  std::vector<char> seen(a.rows());
  std::int64_t inside = 0, all = 0;
  for (std::int64_t b = 0; b < kBalls; ++b) {
    std::vector<std::int32_t> ball;
    grow_ball(a, static_cast<std::int32_t>(b * a.rows() / kBalls), seen, ball);
    for (const std::int32_t node : ball) {
      for (const std::int32_t next : neighbors(a, node)) inside += seen[next];
      all += std::ssize(neighbors(a, node));
    }
    for (const std::int32_t node : ball) seen[node] = 0;
  }
  return all > 0 ? static_cast<double>(inside) / static_cast<double>(all) : 0;
}

// Share of the entries within half a ball of their row, as the nodes are numbered.
double share_nearby(const CsrView& a) {
  std::int64_t nearby = 0, all = 0;
  const std::int64_t step = std::max<std::int64_t>(1, a.rows() / kRows);
  for (std::int64_t row = 0; row < a.rows(); row += step) {
    for (const std::int32_t column : neighbors(a, row)) nearby += std::abs(column - row) <= kBallSize / 2;
    all += std::ssize(neighbors(a, row));
  }
  return all > 0 ? static_cast<double>(nearby) / static_cast<double>(all) : 0;
}

}  // namespace

std::vector<std::int32_t> ball_order(CsrView adjacency) {
  const std::int64_t nodes = adjacency.rows();
  std::vector<char> seen(nodes);
  std::vector<std::int32_t> order, border;  // border: nodes of balls that may have neighbours not seen
  order.reserve(nodes);
  std::size_t first = 0;
  std::int64_t looked_at =
      0;  // last neighbours of border[first], all seen: a hub may be asked for many seeds
  for (std::int64_t start = 0; start < nodes; ++start) {
    if (seen[start]) continue;
    for (auto seed = static_cast<std::int32_t>(start); seed >= 0;) {
      const std::size_t left = grow_ball(adjacency, seed, seen, order);
      border.insert(border.end(), order.begin() + static_cast<std::ptrdiff_t>(left), order.end());
      for (seed = -1; first < border.size(); ++first, looked_at = 0) {
        const auto around = neighbors(adjacency, border[first]);
        while (looked_at < std::ssize(around) && seen[around[around.size() - 1 - looked_at]]) ++looked_at;
        if (looked_at == std::ssize(around)) continue;
        seed = around[around.size() - 1 - looked_at];
        break;  // it may have more
      }
    }
  }
  return order;
}

Csr reordered(CsrView adjacency, std::span<const std::int32_t> order, const Context& context) {
  const std::int64_t nodes = adjacency.rows();
  std::vector<std::int32_t> position(nodes);
  Csr out;
  out.offsets.resize(nodes + 1);
  for (std::int64_t i = 0; i < nodes; ++i) {
    position[order[i]] = static_cast<std::int32_t>(i);
    out.offsets[i + 1] = out.offsets[i] + std::ssize(neighbors(adjacency, order[i]));
  }
  out.columns.resize(adjacency.columns.size());
  out.values.resize(adjacency.values.size());
  context.for_blocks(nodes, 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, float>> row;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t from = adjacency.offsets[order[i]], to = out.offsets[i];
      const auto columns = neighbors(adjacency, order[i]);
      row.clear();
      for (std::size_t e = 0; e < columns.size(); ++e) {
        row.emplace_back(position[columns[e]], adjacency.weighted() ? adjacency.values[from + e] : 1.0f);
      }
      std::sort(row.begin(), row.end());
      for (std::size_t e = 0; e < row.size(); ++e) {
        out.columns[to + e] = row[e].first;
        if (adjacency.weighted()) out.values[to + e] = row[e].second;
      }
    }
  });
  return out;
}

bool ordering_pays(CsrView adjacency) {
  if (adjacency.rows() < kFewestNodes) return false;
  const double balls = share_in_balls(adjacency);
  return balls >= kShare && balls >= share_nearby(adjacency) + kGain;
}

}  // namespace parsimony::graph
