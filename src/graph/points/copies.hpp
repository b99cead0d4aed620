// Neighbours of points with equal rows, from those of the different rows.
#pragma once

#include <cstdint>

#include "graph/points/distinct_rows.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::graph {

enum class CopyRule {
  nearest,  ///< the k nearest, copies among them; among equal distances the smaller index first
  spread    ///< few copies of a point that has many, so that lists reach other points: see point_graph()
};

/// The most copies of a point that its list of k neighbours has by the rule before others must give way.
std::int64_t most_copies(std::int64_t k, CopyRule rule);

/// Lists of k neighbours for all points from the lists of the different rows, whose indices are groups. With
/// among_themselves list g is that of group g, and a point's own copies come before it; else every list is
/// one of a query. Every list of `found` must have k groups or all (other) groups. O(n k log k) time.
Neighbors with_copies(const Neighbors& found, const DistinctRows& distinct, std::int64_t k,
                      bool among_themselves, CopyRule rule, const Context& context);

/// nearest_neighbors() with the lists that point_graph() joins.
Neighbors neighbors_for_graph(MatrixView<const float> points, const NeighborOptions& options,
                              const Context& context);

}  // namespace parsimony::graph
