#include "parsimony/graph/graph.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace parsimony::graph {
namespace {

constexpr std::string_view kSides[] = {"left:", "right:"};

// to − from, which of 64-bit numbers only fits an unsigned one.
std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

}  // namespace

std::vector<double> degrees(CsrView adjacency) {
  std::vector<double> out(adjacency.rows());
  for (std::int64_t i = 0; i < adjacency.rows(); ++i) {
    const auto begin = adjacency.offsets[i], end = adjacency.offsets[i + 1];
    out[i] = adjacency.weighted()
                 ? std::accumulate(adjacency.values.begin() + begin, adjacency.values.begin() + end, 0.0)
                 : static_cast<double>(end - begin);
  }
  return out;
}

NodeIds NodeIds::consecutive(std::int64_t count, std::int64_t first) {
  NodeIds ids;
  ids.count_ = count;
  ids.first_ = first;
  return ids;
}

NodeIds NodeIds::numbers(std::vector<std::int64_t> ascending) {
  const auto count = static_cast<std::int64_t>(ascending.size());
  // Ascending and distinct, so equal span means consecutive.
  if (count == 0 || distance(ascending.front(), ascending.back()) == static_cast<std::uint64_t>(count) - 1) {
    return consecutive(count, count ? ascending.front() : 0);
  }
  NodeIds ids;
  ids.count_ = count;
  ids.numbers_ = std::move(ascending);
  return ids;
}

NodeIds NodeIds::strings(std::vector<std::string> ascending) {
  NodeIds ids;
  ids.count_ = static_cast<std::int64_t>(ascending.size());
  ids.strings_ = std::move(ascending);
  return ids;
}

NodeIds NodeIds::sides(NodeIds left, NodeIds right) {
  NodeIds ids;
  ids.count_ = left.count_ + right.count_;
  ids.sides_.push_back(std::move(left));
  ids.sides_.push_back(std::move(right));
  return ids;
}

std::string NodeIds::name(std::int64_t node) const {
  if (bipartite()) {
    const bool right = node >= sides_[0].size();
    return std::string(kSides[right]) + sides_[right].name(right ? node - sides_[0].size() : node);
  }
  if (!strings_.empty()) return strings_[node];
  return std::to_string(numbers_.empty() ? first_ + node : numbers_[node]);
}

std::int64_t NodeIds::find(std::string_view name) const {
  for (std::size_t side = 0; side < sides_.size(); ++side) {
    if (name.substr(0, kSides[side].size()) != kSides[side]) continue;
    const std::int64_t node = sides_[side].find(name.substr(kSides[side].size()));
    return node < 0 || side == 0 ? node : sides_[0].size() + node;
  }
  if (bipartite()) return -1;
  if (!strings_.empty()) {
    const auto at = std::lower_bound(strings_.begin(), strings_.end(), name);
    return at != strings_.end() && *at == name ? at - strings_.begin() : -1;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc{} || end != name.data() + name.size()) return -1;
  if (numbers_.empty())
    return value >= first_ && distance(first_, value) < static_cast<std::uint64_t>(count_) ? value - first_
                                                                                           : -1;
  const auto at = std::lower_bound(numbers_.begin(), numbers_.end(), value);
  return at != numbers_.end() && *at == value ? at - numbers_.begin() : -1;
}

Components connected_components(CsrView adjacency) {
  Components out;
  out.label.assign(adjacency.rows(), -1);
  std::vector<std::int32_t> frontier;
  for (std::int64_t seed = 0; seed < adjacency.rows(); ++seed) {
    if (out.label[seed] >= 0) continue;
    const auto label = static_cast<std::int32_t>(out.count++);
    out.label[seed] = label;
    frontier.assign(1, static_cast<std::int32_t>(seed));
    if (adjacency.offsets[seed] == adjacency.offsets[seed + 1]) ++out.isolated;
    while (!frontier.empty()) {
      const std::int32_t node = frontier.back();
      frontier.pop_back();
      for (auto e = adjacency.offsets[node]; e < adjacency.offsets[node + 1]; ++e) {
        const std::int32_t neighbor = adjacency.columns[e];
        if (out.label[neighbor] < 0) {
          out.label[neighbor] = label;
          frontier.push_back(neighbor);
        }
      }
    }
  }
  return out;
}

}  // namespace parsimony::graph
