// Implements lfr_benchmark() of parsimony/graph/generators.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "graph/assemble.hpp"
#include "graph/edge_weights.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::graph {
namespace {

using NodePair = std::array<std::int32_t, 2>;

constexpr int kDraws = 100;  // most draws of the community sizes, until the nodes fit in
constexpr int kSwaps = 200;  // tried for a pair that cannot be an edge
constexpr std::int64_t kPairsPerStep = 1 << 16;

// Density in proportion to x^−exponent on [low, high].
struct PowerLaw {
  double exponent, low, high;

  double mean() const { return low < high ? low * integral(1 - exponent) / integral(-exponent) : low; }
  // The real number at this quantile, rounded up or down at random so that the mean stays.
  std::int64_t draw(double quantile, double rounding) const {
    const double power = 1 - exponent, ratio = high / low;
    const double times = std::abs(power) < 1e-9
                             ? std::pow(ratio, quantile)
                             : std::pow(1 + quantile * (std::pow(ratio, power) - 1), 1 / power);
    return static_cast<std::int64_t>(std::floor(std::clamp(low * times, low, high) + rounding));
  }

 private:
  double integral(double power) const {  // integral of (x / low)^power over x / low
    const double next = power + 1, ratio = high / low;
    return std::abs(next) < 1e-9 ? std::log(ratio) : (std::pow(ratio, next) - 1) / next;
  }
};

PowerLaw degree_law(const LfrOptions& options) {
  const auto highest = static_cast<double>(options.max_degree);
  PowerLaw law{options.degree_exponent, 1, highest};
  if (options.mean_degree > highest || options.mean_degree < law.mean()) {
    refuse(fmt::format(
        "mean_degree: {} cannot be the mean of degrees from 1 to {} with option degree_exponent {}; must be "
        "from {:.4g} to {}",
        options.mean_degree, options.max_degree, options.degree_exponent, law.mean(), options.max_degree));
  }
  double low = 1, high = highest;
  for (int step = 0; step < 60; ++step) {
    law.low = (low + high) / 2;
    (law.mean() < options.mean_degree ? low : high) = law.low;
  }
  return law;
}

void check(const LfrOptions& options) {
  validate_fields(options);
  if (options.max_degree >= options.nodes) {
    refuse(fmt::format("max_degree: {} is more than a node among {} can have; must be at most {}",
                       options.max_degree, options.nodes, options.nodes - 1));
  }
  if (options.max_community > options.nodes) {
    refuse(fmt::format("max_community: {} is more than the {}", options.max_community,
                       count_of(options.nodes, "node")));
  }
  if (options.min_community > options.max_community) {
    refuse(fmt::format("min_community: {} is above option max_community {}", options.min_community,
                       options.max_community));
  }
  const double inside = (1 - options.mixing) * static_cast<double>(options.max_degree);
  if (std::ceil(inside) >= static_cast<double>(options.max_community)) {
    refuse(
        fmt::format("max_community: {} has no room for a node of degree {} with {:.0f} neighbours inside; "
                    "must be at least {:.0f}",
                    options.max_community, options.max_degree, std::ceil(inside), std::ceil(inside) + 1));
  }
  if (options.weight_mixing == -1) return;
  if (!(options.weight_mixing > 0 && options.weight_mixing < 1)) {
    refuse(
        fmt::format("weight_mixing: {} leaves edges without weight; must be above 0 and below 1, or -1 for "
                    "none",
                    options.weight_mixing));
  }
  if (!(options.mixing > 0 && options.mixing < 1)) {
    refuse(
        fmt::format("weight_mixing: needs edges on both sides; option mixing must be above 0 and below 1, "
                    "not {}",
                    options.mixing));
  }
}

// Community sizes, descending, that add up to the nodes; empty when the draw cannot.
std::vector<std::int64_t> draw_sizes(const LfrOptions& options, int attempt) {
  const RandomStream stream(options.seed, "lfr.sizes", attempt);
  const PowerLaw law{options.community_exponent, static_cast<double>(options.min_community),
                     static_cast<double>(options.max_community)};
  std::vector<std::int64_t> sizes;
  std::int64_t sum = 0;
  for (std::uint64_t at = 0; sum < options.nodes; at += 2) {
    sizes.push_back(law.draw(stream.uniform(at), stream.uniform(at + 1)));
    sum += sizes.back();
  }
  sizes.back() -= sum - options.nodes;
  if (sizes.back() < options.min_community) {  // too small to stand alone: shared out
    std::int64_t rest = sizes.back();
    sizes.pop_back();
    for (bool room = true; rest > 0 && room;) {
      room = false;
      for (auto size = sizes.begin(); size != sizes.end() && rest > 0; ++size) {
        if (*size == options.max_community) continue;
        ++*size;
        --rest;
        room = true;
      }
    }
    if (rest > 0) return {};
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  return sizes;
}

// The community of every node, which must have more nodes than the node has neighbours inside. Nodes take
// free places in communities that are large enough, in the order of falling numbers of neighbours. Such
// places only become more, so that every assignment that fits has the same probability. Empty if none fits.
std::vector<std::int32_t> assign(std::span<const std::int64_t> inside, std::span<const std::int64_t> sizes,
                                 const RandomStream& stream) {
  const auto nodes = std::ssize(inside);
  std::vector<std::int32_t> order(nodes), community(nodes), places;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return inside[a] > inside[b]; });
  places.reserve(nodes);
  std::size_t open = 0;  // communities of which the places are offered
  for (const std::int32_t node : order) {
    for (; open < sizes.size() && sizes[open] > inside[node]; ++open) {
      places.insert(places.end(), sizes[open], static_cast<std::int32_t>(open));
    }
    if (places.empty()) return {};
    std::swap(places[stream.below(places.size(), node)], places.back());
    community[node] = places.back();
    places.pop_back();
  }
  return community;
}

// A set of edges by open addressing.
class EdgeSet {
 public:
  explicit EdgeSet(std::size_t most) {
    std::size_t size = 16;
    while (size < 2 * most) size *= 2;
    keys_.resize(size, kFree);
  }

  bool contains(std::int32_t a, std::int32_t b) const { return keys_[find(key(a, b))] != kFree; }
  bool insert(std::int32_t a, std::int32_t b) {
    std::uint64_t& place = keys_[find(key(a, b))];
    return std::exchange(place, key(a, b)) == kFree;
  }
  void erase(std::int32_t a, std::int32_t b) {
    std::size_t hole = find(key(a, b));
    keys_[hole] = kFree;
    // Entries pushed past the hole move back, so that no search ends at it too early.
    for (std::size_t at = next(hole); keys_[at] != kFree; at = next(at)) {
      const std::uint64_t moved = std::exchange(keys_[at], kFree);
      keys_[find(moved)] = moved;
    }
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};

  static std::uint64_t key(std::int32_t a, std::int32_t b) {
    return static_cast<std::uint64_t>(std::min(a, b)) << 32 | static_cast<std::uint32_t>(std::max(a, b));
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (keys_.size() - 1); }
  std::size_t find(std::uint64_t key) const {
    std::size_t at = (key * 0x9E3779B97F4A7C15ull >> 20) & (keys_.size() - 1);
    while (keys_[at] != kFree && keys_[at] != key) at = next(at);
    return at;
  }

  std::vector<std::uint64_t> keys_;
};

// Stubs paired at random, each pair an edge that is allowed and there once.
template <class Allowed>
std::vector<NodePair> pair_stubs(std::vector<std::int32_t> stubs, const RandomStream& stream,
                                 const Allowed& allowed, const Context& context) {
  std::uint64_t position = 0;
  for (std::size_t i = stubs.size(); i > 1; --i) std::swap(stubs[i - 1], stubs[stream.below(i, position++)]);
  EdgeSet set(stubs.size() / 2);
  std::vector<NodePair> edges, faults;
  edges.reserve(stubs.size() / 2);
  for (std::size_t i = 0; i + 1 < stubs.size(); i += 2) {
    const NodePair pair{stubs[i], stubs[i + 1]};
    (allowed(pair[0], pair[1]) && set.insert(pair[0], pair[1]) ? edges : faults).push_back(pair);
    if (i / 2 % kPairsPerStep == 0) context.check_cancelled();
  }
  const auto free = [&](std::int32_t a, std::int32_t b) { return allowed(a, b) && !set.contains(a, b); };
  for (std::size_t f = 0; f < faults.size() && !edges.empty(); ++f) {
    if (f % kPairsPerStep == 0) context.check_cancelled();
    const auto [a, b] = faults[f];
    for (int swap = 0; swap < kSwaps; ++swap) {
      const std::uint64_t drawn = stream.below(2 * edges.size(), position++);
      NodePair& other = edges[drawn / 2];
      const std::int32_t c = other[drawn % 2], d = other[1 - drawn % 2];
      // a–c and b–d could be the same edge.
      if (!free(a, c) || !free(b, d) || (a == d && b == c)) continue;
      set.erase(c, d);
      set.insert(a, c);
      set.insert(b, d);
      other = {a, c};
      edges.push_back({b, d});
      break;
    }
  }
  return edges;
}

// An odd sum of neighbours inside cannot be paired: one node gets one more neighbour inside, or one less.
void make_even(std::span<const std::int32_t> members, std::span<const std::int64_t> degree,
               std::vector<std::int64_t>& inside, const RandomStream& stream) {
  std::int64_t sum = 0;
  for (const std::int32_t node : members) sum += inside[node];
  if (sum % 2 == 0) return;
  const std::size_t first = stream.below(members.size(), 0);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::int32_t node = members[(first + i) % members.size()];
    if (inside[node] == degree[node] || inside[node] + 1 >= std::ssize(members)) continue;
    ++inside[node];
    return;
  }
  for (std::size_t i = 0;; ++i) {  // an odd sum has a node to take from
    const std::int32_t node = members[(first + i) % members.size()];
    if (inside[node] == 0) continue;
    --inside[node];
    return;
  }
}

}  // namespace

PlantedGraph lfr_benchmark(const LfrOptions& options, const Context& context) {
  check(options);
  const std::int64_t nodes = options.nodes;
  const PowerLaw law = degree_law(options);
  const RandomStream degrees(options.seed, "lfr.degrees"), rounding(options.seed, "lfr.rounding");
  std::vector<std::int64_t> degree(nodes), inside(nodes);
  context.for_blocks(nodes, 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      degree[i] = law.draw(degrees.uniform(2 * i), degrees.uniform(2 * i + 1));
      inside[i] = static_cast<std::int64_t>(
          std::floor((1 - options.mixing) * static_cast<double>(degree[i]) + rounding.uniform(i)));
    }
  });

  PlantedGraph out;
  std::vector<std::int64_t> sizes;
  for (int attempt = 0; out.labels.empty(); ++attempt) {
    context.check_cancelled();
    if (attempt == kDraws) {
      refuse(fmt::format(
          "max_community: communities of {} to {} do not take in the {} and their degrees up to {}; widen "
          "the range, or lower option max_degree",
          options.min_community, options.max_community, count_of(nodes, "node"), options.max_degree));
    }
    sizes = draw_sizes(options, attempt);
    if (sizes.empty() || (sizes.size() == 1 && options.mixing > 0)) continue;
    out.labels = assign(inside, sizes, RandomStream(options.seed, "lfr.communities", attempt));
  }

  // The members of community c are members[begins[c] .. begins[c + 1]).
  const std::int64_t communities = std::ssize(sizes);
  std::vector<std::int64_t> begins(communities + 1);
  std::partial_sum(sizes.begin(), sizes.end(), begins.begin() + 1);
  std::vector<std::int32_t> members(nodes);
  std::vector<std::int64_t> next(begins.begin(), begins.end() - 1);
  for (std::int64_t i = 0; i < nodes; ++i) members[next[out.labels[i]]++] = static_cast<std::int32_t>(i);

  std::vector<EntryBlock> blocks(communities + 1);
  context.for_blocks(communities, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) {
      const auto own = std::span(members).subspan(begins[c], sizes[c]);
      make_even(own, degree, inside, RandomStream(options.seed, "lfr.parity", c));
      std::vector<std::int32_t> stubs;
      for (const std::int32_t node : own) stubs.insert(stubs.end(), inside[node], node);
      blocks[c].nodes = pair_stubs(
          std::move(stubs), RandomStream(options.seed, "lfr.inside", c),
          [](std::int32_t a, std::int32_t b) { return a != b; }, context);
    }
  });
  if (options.mixing > 0) {
    std::vector<std::int32_t> stubs;
    for (std::int64_t i = 0; i < nodes; ++i) {
      stubs.insert(stubs.end(), degree[i] - inside[i], static_cast<std::int32_t>(i));
    }
    blocks[communities].nodes = pair_stubs(
        std::move(stubs), RandomStream(options.seed, "lfr.outside"),
        [&](std::int32_t a, std::int32_t b) { return out.labels[a] != out.labels[b]; }, context);
  }
  out.graph = assemble(std::move(blocks), NodeIds::consecutive(nodes, 0), {.meaning = EntryMeaning::triangle},
                       {"the graph", context}, context)
                  .graph;

  MeanWeights mean;
  if (options.weight_mixing != -1) {
    mean = {(1 - options.weight_mixing) / (1 - options.mixing), options.weight_mixing / options.mixing};
  }
  weigh_edges(out, options.weights, mean, options.seed, context);
  return out;
}

}  // namespace parsimony::graph
