// Random graphs with a planted partition.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

/// The stochastic block model in the parametrisation of [tremblay2016compressive]: mean degree c,
/// ε = p_out / p_in, p_in = k c / (N − k + (k − 1) ε N), detectability threshold ε_c = (c − √c)/(c + √c (k −
/// 1)).
struct BlockModelOptions {
  std::int64_t nodes = 10000;
  std::int64_t clusters = 100;
  double degree = 16;           ///< mean degree c
  double epsilon_ratio = 0.25;  ///< ε / ε_c; 0: no edges between clusters; 1 / ε_c: no clusters at all
  double degree_exponent =
      0;                ///< 0: plain; above 2: degree-corrected, propensities of a power law of this exponent
  bool shuffle = true;  ///< nodes of a cluster are spread over all ids; false: they are consecutive
  std::uint64_t seed = 0;
};

template <OptionsOf<BlockModelOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"nodes", "number of nodes N", 1, 2147483647}, options.nodes);
  visit(Field{"clusters", "number of planted clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"degree", "mean degree c", 0, 2147483647}, options.degree);
  visit(Field{"epsilon_ratio", "p_out / p_in as a fraction of the detectability threshold", 0, 1e9},
        options.epsilon_ratio);
  visit(Field{"degree_exponent", "power law of the degrees, above 2; 0: even degrees", 0, 100},
        options.degree_exponent);
  visit(Field{"shuffle", "spread the nodes of a cluster over all ids"}, options.shuffle);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// p_in, p_out and ε_c of the options. Throws invalid_argument when there is no such graph: more clusters
/// than nodes, a degree that needs a probability above 1, or one of at most 1 (no threshold) with
/// epsilon_ratio > 0.
struct BlockProbabilities {
  double inside = 0;
  double outside = 0;
  double epsilon_c = 0;
};
BlockProbabilities block_probabilities(const BlockModelOptions& options);

struct PlantedGraph {
  Graph graph;
  std::vector<std::int32_t> labels;  ///< planted cluster of every node; sizes differ by at most one
};

/// Every pair of nodes is an edge independently, with the exact probability; O(N + E) time and 8 N + 12 E
/// bytes of work, by one random stream per node: the same graph for any number of threads.
///
/// Degree-corrected [karrer2011stochastic]: the probability is θ_i θ_j p, with θ from a Pareto law, scaled to
/// mean 1 in each cluster and cut at 1/√p so that no probability passes 1. The expected degree of node i is
/// then c θ_i (1 + O(θ_i / size of the cluster)): only the pair of a node with itself is missing. O(N log N +
/// E) time.
PlantedGraph stochastic_block_model(const BlockModelOptions& options, const Context& context = Context{});

}  // namespace parsimony::graph
