// Points sorted into cells around centroids: an inverted file, searched block by block.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::graph {

/// Cell c has the rows starts[c] .. starts[c + 1), the points ids[row] minus its centroid. The difference
/// keeps the digits of float32 where they matter: between points that lie close together.
struct Cells {
  Matrix<float> centroids;    ///< count × d
  std::vector<float> radius;  ///< per cell: at least the distance of its points to the centroid
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> ids;  ///< ascending within a cell
  std::vector<std::int32_t> cell_of;
  Matrix<float> rows;
  std::vector<float> half_norms;  ///< half the squared length of a row; Manhattan: half its length
  Metric metric = Metric::euclidean;

  std::int64_t count() const { return centroids.rows(); }
  std::int64_t dimension() const { return centroids.cols(); }
};

/// Makes about 2 √n cells by k-means on a sample. Cells of more than 8 times the mean number of points, which
/// many copies of a point cause, are cut into several with the same centroid. O(n √n d) time.
/// With Metric::manhattan all distances, lists and radii are sums of absolute differences; the centroids are
/// those of k-means all the same.
Cells make_cells(MatrixView<const float> points, Metric metric, std::uint64_t seed, const Context& context);

/// Lists of the nearest points, in the order of the queries, capacity each; empty places hold infinity.
struct Candidates {
  std::int64_t capacity = 1;
  std::vector<float> distances;  ///< squared unless Manhattan, to float32 rounding
  std::vector<std::int32_t> ids;
};

/// Candidates for the given rows of queries. leave_out_own: the queries are the points, and a point is not a
/// candidate for itself. probes: number of cells to search, those of the nearest centroids; cells.count()
/// makes the search exact. Cells that the triangle inequality rules out are skipped. Throws cancelled within
/// a hundredth of a second of work.
Candidates search_cells(const Cells& cells, MatrixView<const float> queries,
                        std::span<const std::int32_t> rows, bool leave_out_own, std::int64_t capacity,
                        std::int64_t probes, const Context& context);

/// For every rank r the share of the given neighbours (rows × k ids) that lie in the cells of the r + 1
/// nearest centroids of their query.
std::vector<double> share_by_probes(const Cells& cells, MatrixView<const float> queries,
                                    std::span<const std::int32_t> rows,
                                    MatrixView<const std::int32_t> neighbors, const Context& context);

}  // namespace parsimony::graph
