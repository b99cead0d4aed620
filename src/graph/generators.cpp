#include "parsimony/graph/generators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/count_of.hpp"
#include "graph/edge_weights.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kNodesPerBlock = 1 << 12;

// Nodes are numbered by places here: clusters are consecutive, and the first r of them have one node more.
struct Layout {
  std::int64_t nodes, clusters;

  std::int64_t begin(std::int64_t cluster) const {
    return cluster * (nodes / clusters) + std::min(cluster, nodes % clusters);
  }
  std::int64_t cluster(std::int64_t place) const {
    const std::int64_t size = nodes / clusters, large = nodes % clusters * (size + 1);
    return place < large ? place / (size + 1) : nodes % clusters + (place - large) / size;
  }
};

// Propensities of the places, descending inside each cluster, of mean 1 and at most `highest` there.
std::vector<float> power_law(const Layout& layout, double exponent, double highest, std::uint64_t seed,
                             const Context& context) {
  const RandomStream stream(seed, "block_model.propensity");
  std::vector<float> theta(layout.nodes);
  context.for_blocks(layout.clusters, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) {
      const auto begin = theta.begin() + layout.begin(c), end = theta.begin() + layout.begin(c + 1);
      for (auto at = begin; at != end; ++at) {
        *at = static_cast<float>(std::pow(stream.uniform(at - theta.begin()), -1 / (exponent - 1)));
      }
      std::sort(begin, end, std::greater<>());
      // The mean of min(highest, scale · raw) grows with the scale: approach 1 from below.
      double scale = 0, mean = 0;
      for (int round = 0; round < 100 && std::abs(mean - 1) > 1e-6; ++round) {
        scale = round == 0 ? std::distance(begin, end) / std::accumulate(begin, end, 0.0) : scale / mean;
        mean = 0;
        for (auto at = begin; at != end; ++at) mean += std::min(highest, scale * *at);
        mean /= static_cast<double>(end - begin);
      }
      for (auto at = begin; at != end; ++at) *at = static_cast<float>(std::min(highest, scale * *at));
    }
  });
  return theta;
}

// Draws from a list of nodes whose probabilities do not increase, by skipping nodes that are not drawn
// [batagelj2005efficient, miller2011efficient]: skip ahead with the present probability, which is never too
// small, then keep the node with the ratio of its own probability to that. Time in proportion to the nodes
// drawn.
class Skipper {
 public:
  explicit Skipper(RandomStream stream) : stream_(stream) {}

  /// Calls keep(at) for every drawn index of [begin, end); probability(at) must not increase.
  template <class Probability, class Keep>
  void draw(std::int64_t begin, std::int64_t end, const Probability& probability, const Keep& keep) {
    if (begin >= end) return;
    double bound = std::min(1.0, probability(begin));
    for (std::int64_t at = begin; bound > 0; ++at) {
      if (bound < 1) {
        const double skip = std::log(stream_.uniform(position_++)) / std::log1p(-bound);
        if (skip >= static_cast<double>(end - at)) return;
        at += static_cast<std::int64_t>(skip);
      }
      if (at >= end) return;
      const double exact = std::min(1.0, probability(at));
      if (exact >= bound || stream_.uniform(position_++) * bound < exact) keep(at);
      bound = exact;
    }
  }

 private:
  RandomStream stream_;
  std::uint64_t position_ = 0;
};

std::vector<std::int32_t> random_permutation(std::int64_t count, std::uint64_t seed) {
  const RandomStream stream(seed, "block_model.shuffle");
  std::vector<std::int32_t> out(count);
  std::iota(out.begin(), out.end(), 0);
  for (std::int64_t i = count - 1; i > 0; --i) std::swap(out[i], out[stream.below(i + 1, i)]);
  return out;
}

// The pairs of a block of places: the partners of place i are targets[ends[i − 1] .. ends[i]).
struct Pairs {
  std::vector<std::int32_t> targets;
  std::vector<std::int64_t> ends;
};

// Both directions of every pair, renamed, with ascending rows. Sorting removes the order in which threads
// fill a row.
Csr symmetric(const std::vector<Pairs>& blocks, const std::vector<std::int32_t>& name,
              const Context& context) {
  const auto nodes = static_cast<std::int64_t>(name.size());
  const auto for_pairs = [&](const auto& use) {
    context.for_blocks(nodes, kNodesPerBlock, [&](std::int64_t begin, std::int64_t end) {
      const Pairs& pairs = blocks[begin / kNodesPerBlock];
      std::int64_t at = 0;
      for (std::int64_t i = begin; i < end; ++i) {
        for (; at < pairs.ends[i - begin]; ++at) use(name[i], name[pairs.targets[at]]);
      }
    });
  };
  const auto claim = [](std::int64_t& counter) {
    return std::atomic_ref(counter).fetch_add(1, std::memory_order_relaxed);
  };
  Csr out;
  std::vector<std::int64_t> next(nodes);
  for_pairs([&](std::int32_t a, std::int32_t b) {
    claim(next[a]);
    claim(next[b]);
  });
  out.offsets.resize(nodes + 1);
  for (std::int64_t i = 0; i < nodes; ++i) {
    out.offsets[i + 1] = out.offsets[i] + next[i];
    next[i] = out.offsets[i];
  }
  out.columns.resize(out.offsets.back());
  for_pairs([&](std::int32_t a, std::int32_t b) {
    out.columns[claim(next[a])] = b;
    out.columns[claim(next[b])] = a;
  });
  context.for_blocks(nodes, kNodesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::sort(out.columns.begin() + out.offsets[i], out.columns.begin() + out.offsets[i + 1]);
    }
  });
  return out;
}

}  // namespace

BlockProbabilities block_probabilities(const BlockModelOptions& options) {
  validate_fields(options);
  const double n = static_cast<double>(options.nodes), k = static_cast<double>(options.clusters);
  const double c = options.degree;
  if (options.clusters > options.nodes) {
    refuse(fmt::format("clusters: {} do not fit in {}; ask for at most {}", options.clusters,
                       count_of(options.nodes, "node"), options.nodes));
  }
  if (options.degree_exponent != 0 && !(options.degree_exponent > 2)) {
    refuse(fmt::format("degree_exponent: {} gives no finite mean degree; must be above 2, or 0 for none",
                       options.degree_exponent));
  }
  BlockProbabilities out;
  if (c > 0) out.epsilon_c = (c - std::sqrt(c)) / (c + std::sqrt(c) * (k - 1));
  if (options.epsilon_ratio > 0 && options.clusters > 1 && !(c > 1)) {
    refuse(fmt::format(
        "degree: {} has no detectability threshold; must be above 1, or option epsilon_ratio 0", c));
  }
  const double epsilon = options.clusters > 1 ? options.epsilon_ratio * out.epsilon_c : 0;
  const double partners = (n - k + (k - 1) * epsilon * n) / k;  // expected, in units of p_in
  const bool inside = options.nodes > options.clusters;         // are there pairs inside of clusters at all
  if (!(partners > 0) || (inside && c > partners) || (options.clusters > 1 && epsilon * c > partners)) {
    refuse(
        fmt::format("degree: {} is more than {} in {} can have at option epsilon_ratio {}; lower the degree "
                    "or the number of clusters, or move the ratio towards {:.3g}",
                    c, count_of(options.nodes, "node"), count_of(options.clusters, "cluster"),
                    options.epsilon_ratio, 1 / out.epsilon_c));
  }
  out.inside = c / partners;
  out.outside = epsilon * out.inside;
  return out;
}

PlantedGraph stochastic_block_model(const BlockModelOptions& options, const Context& context) {
  const BlockProbabilities p = block_probabilities(options);
  const Layout layout{options.nodes, options.clusters};
  const std::int64_t n = options.nodes;
  const bool corrected = options.degree_exponent != 0;

  std::vector<float> theta;           // empty: all 1
  std::vector<std::int32_t> ranking;  // all places by descending propensity; place r is number rank[r]
  std::vector<std::int32_t> rank;
  std::vector<float> ranked;  // their propensities
  if (corrected) {
    const double highest = 1 / std::sqrt(std::min(1.0, std::max(p.inside, p.outside)));
    theta = power_law(layout, options.degree_exponent, highest, options.seed, context);
    ranking.resize(n);
    rank.resize(n);
    ranked.resize(n);
    std::iota(ranking.begin(), ranking.end(), 0);
    std::stable_sort(ranking.begin(), ranking.end(), [&](auto a, auto b) { return theta[a] > theta[b]; });
    for (std::int64_t r = 0; r < n; ++r) {
      rank[ranking[r]] = static_cast<std::int32_t>(r);
      ranked[r] = theta[ranking[r]];
    }
  }

  std::vector<Pairs> blocks((n + kNodesPerBlock - 1) / kNodesPerBlock);
  context.for_blocks(n, kNodesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    Pairs& pairs = blocks[begin / kNodesPerBlock];
    pairs.targets.reserve(static_cast<std::size_t>(options.degree / 2 * static_cast<double>(end - begin)));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t cluster = layout.cluster(i), own_begin = layout.begin(cluster);
      const std::int64_t own_end = layout.begin(cluster + 1);
      const auto add = [&](std::int64_t j) { pairs.targets.push_back(static_cast<std::int32_t>(j)); };
      Skipper skipper(RandomStream(options.seed, "block_model.pairs", i));
      if (!corrected) {
        skipper.draw(
            i + 1, own_end, [&](std::int64_t) { return p.inside; }, add);
        skipper.draw(
            own_end, n, [&](std::int64_t) { return p.outside; }, add);
      } else {
        const double own = theta[i];
        skipper.draw(
            i + 1, own_end, [&](std::int64_t j) { return own * theta[j] * p.inside; }, add);
        skipper.draw(
            rank[i] + 1, n, [&](std::int64_t r) { return own * ranked[r] * p.outside; },
            [&](std::int64_t r) {
              if (ranking[r] < own_begin || ranking[r] >= own_end) add(ranking[r]);
            });
      }
      pairs.ends.push_back(std::ssize(pairs.targets));
    }
  });

  std::vector<std::int32_t> name(n);  // node of a place
  if (options.shuffle) {
    name = random_permutation(n, options.seed);
  } else {
    std::iota(name.begin(), name.end(), 0);
  }
  PlantedGraph out;
  out.graph.adjacency = symmetric(blocks, name, context);
  out.labels.resize(n);
  for (std::int64_t i = 0; i < n; ++i) out.labels[name[i]] = static_cast<std::int32_t>(layout.cluster(i));
  weigh_edges(out, options.weights, {}, options.seed, context);
  return out;
}

}  // namespace parsimony::graph
