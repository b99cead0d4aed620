// Triangles beside what a block model expects: whether a graph can be a random one with planted clusters.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::cluster {

/// A block model joins two neighbours of a node, clusters and degrees given, as if they did not know of each
/// other. The ratio of how often they are joined to how often the model of these communities would join them:
/// near 1 for block models and for graphs with small and dense planted groups (1.3 to 3.4 by communities at
/// resolution 1, which hold several planted clusters each), 25 and more for meshes and for graphs of papers
/// with several authors.
///
/// 1 ≤ expected: `clusters` finer clusters inside the communities may make them so many times denser, and are
/// given that much of the triangles. Weights are ignored: what counts is who is joined.
///
/// From 20,000 pairs of neighbours; 0 where no node has two. O(E) time.
double excess_closure(CsrView adjacency, const partition::Partition& communities, std::int64_t clusters,
                      std::uint64_t seed, const Context& context);

}  // namespace parsimony::cluster
