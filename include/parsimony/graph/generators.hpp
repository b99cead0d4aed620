// Random graphs with a planted partition.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

enum class WeightDistribution {
  unit,      ///< no weights: every edge counts 1
  lognormal  ///< independent weights exp(N(−1/2, 1)), with mean 1 and standard deviation 1.3
};

constexpr auto names_of(WeightDistribution) {
  using enum WeightDistribution;
  return enum_names<WeightDistribution>({{unit, "unit"}, {lognormal, "lognormal"}});
}

/// The stochastic block model in the parametrisation of [tremblay2016compressive]: mean degree c,
/// ε = p_out / p_in, p_in = k c / (N − k + (k − 1) ε N), detectability threshold
/// ε_c = (c − √c) / (c + √c (k − 1)).
struct BlockModelOptions {
  std::int64_t nodes = 10000;
  std::int64_t clusters = 100;
  double degree = 16;           ///< mean degree c
  double epsilon_ratio = 0.25;  ///< ε / ε_c; 0: no edges between clusters; 1 / ε_c: no clusters at all
  double degree_exponent = 0;   ///< 0: plain; above 2: degree-corrected by a power law with this exponent
  WeightDistribution weights = WeightDistribution::unit;
  bool shuffle = true;  ///< spread the nodes of a cluster over all ids; false: they are consecutive
  std::uint64_t seed = 0;
};

template <OptionsOf<BlockModelOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"nodes", "number of nodes N", 1, 2147483647}, options.nodes);
  visit(Field{"clusters", "number of planted clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"degree", "mean degree c", 0, 2147483647}, options.degree);
  visit(Field{"epsilon_ratio", "p_out / p_in as a fraction of the detectability threshold", 0, 1e9},
        options.epsilon_ratio);
  visit(
      Field{"degree_exponent", "exponent of the power law of degrees, above 2; 0: all degrees alike", 0, 100},
      options.degree_exponent);
  visit(Field{"weights", "weights of the edges"}, options.weights);
  visit(Field{.name = "shuffle",
              .help = "spread the nodes of a cluster over all ids",
              .off_help = "give the nodes of a cluster consecutive ids"},
        options.shuffle);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// p_in, p_out and ε_c of the options. Throws invalid_argument if no such graph exists: more clusters than
/// nodes, a degree that needs a probability above 1, or a degree of at most 1 (which has no threshold) with
/// epsilon_ratio > 0.
struct BlockProbabilities {
  double inside = 0;
  double outside = 0;
  double epsilon_c = 0;
};
BlockProbabilities block_probabilities(const BlockModelOptions& options);

struct PlantedGraph {
  Graph graph;
  std::vector<std::int32_t> labels;  ///< planted cluster of every node
};

/// Draws a graph. Cluster sizes differ by at most one. Every pair of nodes is an edge independently, with the
/// exact probability. O(N + E) time and 8 N + 12 E bytes of work; each node has its own random stream, so
/// that the graph is the same for any number of threads.
///
/// Degree-corrected [karrer2011stochastic]: the probability is θ_i θ_j p, with θ from a Pareto law, scaled to
/// mean 1 in each cluster and cut at 1/√p so that no probability exceeds 1. The expected degree of node i is
/// then c θ_i (1 + O(θ_i / size of the cluster)): only the pair of a node with itself is missing. O(N log N +
/// E) time.
PlantedGraph stochastic_block_model(const BlockModelOptions& options, const Context& context = Context{});

/// The benchmark of Lancichinetti, Fortunato and Radicchi [lancichinetti2008benchmark]: degrees and community
/// sizes follow power laws, and a share `mixing` of the edges of every node leads out of its community. The
/// defaults are those of the authors' larger communities [lancichinetti2009benchmarks], with ten times the
/// nodes.
struct LfrOptions {
  std::int64_t nodes = 10000;
  double mean_degree = 20;
  std::int64_t max_degree = 50;
  double degree_exponent = 2.5;     ///< exponent of the degrees; 2 to 3 in the papers
  double community_exponent = 1.5;  ///< exponent of the community sizes; 1 to 2 in the papers
  std::int64_t min_community = 20;
  std::int64_t max_community = 100;  ///< above (1 − mixing) max_degree, so that the best connected nodes fit
  double mixing = 0.3;               ///< μ: share of the edges of a node that leave its community
  /// μ_w: share of the *weight* of a node's edges that leaves its community; edges inside then weigh a fixed
  /// multiple of edges outside. −1: no such factor
  double weight_mixing = -1;
  WeightDistribution weights = WeightDistribution::unit;
  std::uint64_t seed = 0;
};

template <OptionsOf<LfrOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"nodes", "number of nodes N", 2, 2147483647}, options.nodes);
  visit(Field{"mean_degree", "mean degree", 1, 2147483647}, options.mean_degree);
  visit(Field{"max_degree", "largest degree", 1, 2147483647}, options.max_degree);
  visit(Field{"degree_exponent", "exponent of the power law of degrees", 0, 100}, options.degree_exponent);
  visit(Field{"community_exponent", "exponent of the power law of community sizes", 0, 100},
        options.community_exponent);
  visit(Field{"min_community", "smallest community", 2, 2147483647}, options.min_community);
  visit(Field{"max_community", "largest community", 2, 2147483647}, options.max_community);
  visit(Field{"mixing", "share mu of the edges of a node that leave its community", 0, 1}, options.mixing);
  visit(Field{"weight_mixing", "share of the weight that leaves the community; auto: as the edges", 0, 1,
              "auto", -1},
        options.weight_mixing);
  visit(Field{"weights", "weights of the edges"}, options.weights);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Draws a graph:
/// 1. Degrees come from the power law on [x, max_degree], with x such that the mean is mean_degree;
///    community sizes come from theirs until they add up to N. Real values are rounded up or down at random,
///    which keeps the means.
/// 2. Node i gets (1 − μ) d_i edges inside, and a community with room for them, uniformly drawn among all
///    assignments that fit. The paper draws at random and evicts, by an unknown law.
/// 3. The ends of edges inside are paired at random in each community, the ends of edges outside among all
///    communities. A pair that is a self loop, a repeated edge or an edge outside with both ends in one
///    community swaps ends with a random edge, which keeps all degrees. A pair for which 200 random edges
///    give no such swap is dropped. If the number of ends outside is odd, one of them has no partner and is
///    dropped. Both cost less than a thousandth of the edges, unless the graph is nearly complete.
///
/// Ids are unrelated to communities; labels go by descending size. O(N log N + E) time, about 60 bytes per
/// node and edge; the same graph for any number of threads. Throws invalid_argument, naming the option, if no
/// such graph exists, and cancelled.
PlantedGraph lfr_benchmark(const LfrOptions& options, const Context& context = Context{});

}  // namespace parsimony::graph
