// Clusters of points, kept in a file, and the assignment of new points to them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::cluster {

/// What assigning needs: the points that were clustered, and where they went.
struct PointModel {
  Matrix<float> points;              ///< n × d
  std::vector<std::int32_t> labels;  ///< n, of 0..clusters−1
  std::int64_t clusters = 0;
  graph::Metric metric = graph::Metric::euclidean;
  std::int64_t neighbors = 10;  ///< how many vote, at most n
};

/// Writes a .npz archive (numpy.load reads it) through a temporary file that is then renamed: points
/// (float32, n × d), labels (int32), clusters, neighbors and version (int64 scalars), metric (text). Throws
/// invalid_argument when the labels do not fit the points, io.
void save_model(const std::filesystem::path& path, const PointModel& model);

/// Peak bytes that save_model takes beside a model of rows × cols points.
std::int64_t estimate_saving_memory(std::int64_t rows, std::int64_t cols);

/// Reads what save_model wrote; arrays of other numeric types are converted. max_bytes bounds the memory
/// used, 0 is no bound. Throws io, format, unsupported (a later version), memory_limit.
PointModel load_model(const std::filesystem::path& path, std::int64_t max_bytes = 0);

struct AssignOptions {
  graph::Search search = graph::Search::automatic;
  double recall = .98;  ///< of an approximate search
  std::uint64_t seed = 0;
};

template <OptionsOf<AssignOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"search", "how neighbours are found; automatic: exact up to 2^31 pairs of points"},
        options.search);
  visit(Field{"recall", "share of the true neighbours that an approximate search aims at", 0.1, 1},
        options.recall);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// The cluster of every row of points (m × d): the `neighbors` nearest points of the model vote with weights
/// in inverse proportion to their distances [dudani1976distance]; of equal sums the cluster of the nearer
/// point wins. Points of the model itself at distance 0 decide alone, so that a point that was clustered
/// keeps its cluster. A cluster of the result may be empty.
///
/// Time and memory are those of graph::nearest_neighbors_of: the model's points are sorted into cells once a
/// call, so that many points are best assigned together. Same bytes for any number of threads. Throws
/// invalid_argument (another number of columns; a row with a NaN or infinite coordinate: named), cancelled.
ClusterResult assign(const PointModel& model, MatrixView<const float> points,
                     const AssignOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::cluster
