// Clusters of points in a file, and the assignment of new points to them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::cluster {

/// The points that were clustered, and their clusters: all that assign() needs.
struct PointModel {
  Matrix<float> points;              ///< n × d, less the shift
  std::vector<std::int32_t> labels;  ///< n numbers from 0 to clusters − 1
  std::int64_t clusters = 0;
  graph::Metric metric = graph::Metric::euclidean;
  std::int64_t neighbors = 10;  ///< number of neighbours that vote, at most n
  std::vector<double> shift;    ///< d values subtracted from every point; empty: none (graph/points.hpp)
};

/// Writes a .npz archive, which numpy.load reads: points (float32, n × d), labels (int32), clusters,
/// neighbors and version (int64 scalars), metric (text); of points with a shift also shift (float64), and the
/// version is then 2, not 1. The file is written under a temporary name and then renamed. Throws
/// invalid_argument when the labels do not fit the points, and io.
void save_model(const OutputPath& path, const PointModel& model);

/// Peak bytes of save_model beside a model of rows × cols points.
std::int64_t estimate_saving_memory(std::int64_t rows, std::int64_t cols);

/// Reads a file of save_model; arrays of other numeric types are converted. max_bytes bounds the memory used;
/// 0: no bound. Throws io, format, unsupported (a later version) and memory_limit.
PointModel load_model(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Throws format, with the first row that differs, unless the labels are those of the run that made the
/// model: the clusters of its rows, as write_labels() writes them. A run that was killed while its files
/// appeared, or two runs with one name in common, leave a model beside labels that are not its own.
void check_model_labels(const PointModel& model, const std::string& model_name, const graph::Labels& labels);
/// The same for the file of a model. Throws the errors of load_model too.
void check_model_labels(const std::filesystem::path& model, const graph::Labels& labels,
                        std::int64_t max_bytes = 0);

struct AssignOptions {
  graph::Search search = graph::Search::automatic;
  double recall = .98;  ///< share of the true neighbours that an approximate search aims at
  std::uint64_t seed = 0;
};

template <OptionsOf<AssignOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"search", "how neighbours are found; auto: exact up to 2^31 pairs of points"}, options.search);
  visit(Field{"recall", "share of the true neighbours that an approximate search aims at", 0.1, 1},
        options.recall);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Finds the cluster of every row of points (m × d), from which the shift of the model is subtracted. The
/// `neighbors` nearest points of the model vote with weights in inverse proportion to their distances
/// [dudani1976distance]; among equal sums the cluster of the nearer point wins. Points of the model at
/// distance 0 decide alone, so that a point that was clustered keeps its cluster. A cluster of the result may
/// be empty.
///
/// Time and memory are those of graph::nearest_neighbors_of. Each call sorts the points of the model into
/// cells, so assign many points in one call. The same bytes for any number of threads. Throws
/// invalid_argument (another number of columns; a row with a NaN or infinite coordinate, which is named) and
/// cancelled.
ClusterResult assign(const PointModel& model, MatrixView<const float> points,
                     const AssignOptions& options = {}, const Context& context = Context{});

/// The same for float64 points, which lose no digits where the model has a shift.
ClusterResult assign(const PointModel& model, MatrixView<const double> points,
                     const AssignOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::cluster
