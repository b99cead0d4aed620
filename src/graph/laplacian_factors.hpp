// The factors of a Laplacian by the degrees alone, for graphs in one process and in parts.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/graph/laplacian.hpp"

namespace parsimony::graph {

/// Throws invalid_argument unless each degree plus τ is 0 or a number that float32 holds together with its
/// inverse. first: the number of the first node, for the message.
void check_degrees(std::span<const double> degree, double regularization, std::int64_t first = 0);

/// An upper bound of the spectrum. highest: the highest degree.
double spectrum_bound(LaplacianKind kind, double highest);

/// One element of each array for each degree, as in Laplacian.
struct LaplacianFactors {
  std::span<float> off_diagonal, diagonal, scale;
};
void fill_factors(std::span<const double> degree, LaplacianKind kind, double regularization,
                  const LaplacianFactors& out);

/// Degrees and numbers of edges, of a node or as the means of all nodes.
struct Attachment {
  double degree = 0, edges = 0;
};

/// Whether a node hangs by a thread: its degree and its number of edges are far below the means. A pixel
/// whose four edges are light has a low degree alone, and lies inside its mesh as the other pixels do.
bool is_weak(const Attachment& node, const Attachment& mean);

/// automatic_regularization() by the number of weak nodes.
double automatic_regularization(double mean, std::int64_t weak, std::int64_t nodes);

}  // namespace parsimony::graph
