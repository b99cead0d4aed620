// Random graphs with a planted partition.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

/// The stochastic block model in the parametrisation of [tremblay2016compressive]: mean degree c,
/// ε = p_out / p_in, p_in = k c / (N − k + (k − 1) ε N), detectability threshold ε_c = (c − √c)/(c + √c (k − 1)).
struct BlockModelOptions {
  std::int64_t nodes = 10000;
  std::int64_t clusters = 100;
  double degree = 16;                ///< mean degree c
  double epsilon_ratio = 0.25;       ///< ε / ε_c
  double degree_exponent = 0;        ///< 0: plain; else degree-corrected, node weights of a power law of this exponent
  bool shuffle = true;               ///< nodes of a cluster are spread over all ids; false: they are consecutive
  std::uint64_t seed = 0;
};

struct PlantedGraph {
  Graph graph;
  std::vector<std::int32_t> labels;  ///< planted cluster of every node; sizes differ by at most one
};

PlantedGraph stochastic_block_model(const BlockModelOptions& options, const Context& context = Context{});

}  // namespace parsimony::graph
