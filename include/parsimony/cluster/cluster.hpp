// Clusters of a graph or of points in one call: the method, the number of clusters, a warm start, a limit of
// memory and the scores of the result.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "parsimony/cluster/automatic.hpp"
#include "parsimony/cluster/components.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/exact.hpp"
#include "parsimony/cluster/fields.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/cluster/number_of_clusters.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/graph/point_graph.hpp"
#include "parsimony/graph/points.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::cluster {

enum class Method {
  automatic,    ///< automatic_clustering(): the best labels on graphs of people, papers and planted groups
  compressive,  ///< compressive_spectral_clustering(): clusters of any shape; the choice for points and
                ///< meshes
  filtered,     ///< filtered_spectral_clustering(): the fastest on large graphs with many clusters
  exact         ///< exact_spectral_clustering(): the reference that the two above approximate
};

constexpr auto names_of(Method) {
  using enum Method;
  return enum_names<Method>(
      {{automatic, "auto"}, {compressive, "compressive"}, {filtered, "filtered"}, {exact, "exact"}});
}

/// Every option of every method, by the same name. The default of a field leaves the choice to the method; a
/// field that the method does not have must keep its default.
struct ClusterOptions {
  Method method = Method::automatic;
  std::int64_t clusters = 0;      ///< k, exactly; 0: chosen by choose_number_of_clusters()
  std::int64_t min_clusters = 2;  ///< fewest that may be chosen
  std::int64_t max_clusters =
      0;  ///< most that may be chosen; 0: a tenth of the nodes with edges, at most 200
  /// Set it to whole for the eigenvectors of the whole graph, as in the papers.
  ComponentRule components = ComponentRule::automatic;
  Aim objective = Aim::automatic;
  Effort effort = Effort::normal;
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;
  double regularization = -1;  ///< −1: graph::automatic_regularization
  std::int64_t features = 0;   ///< 0: as the method says; for points 96
  std::int64_t samples = 0;    ///< 0: as the method says; for points 200 per cluster, at least 5000
  int order = 0;               ///< 0: as the method says, 50; for points 200
  Assignment assign = CompressiveOptions{}.assign;
  Sampling sampling = CompressiveOptions{}.sampling;
  LambdaMethod lambda_method = LambdaMethod::moments;
  double lambda_k = 0;  ///< cut-off of an earlier run; 0: found
  int restarts = 0;     ///< 0: as the method says, 20; filtered 5
  double error = 0;     ///< 0: no control of distances
  double failure_probability = CompressiveOptions{}.failure_probability;
  std::int64_t oversampling = 0;  ///< 0: as spectral::EigenOptions says
  double eigen_tolerance = ExactOptions{}.eigen_tolerance;
  int passes = ExactOptions{}.passes;
  Refinement refine = Refinement::none;
  /// For every node its cluster in an earlier run, −1 for a new node; empty: no warm start. The array must
  /// live until the call returns. read_warm_start() makes one from a file of labels.
  std::span<const std::int32_t> warm_start;
  std::uint64_t seed = 0;
};

template <OptionsOf<ClusterOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"method", "how to cluster; for points the default is compressive"}, options.method);
  visit(Field{"clusters", "number of clusters k; auto: the most stable number", 1, 1 << 30, "auto", 0},
        options.clusters);
  visit(Field{"min_clusters", "fewest clusters that may be chosen", 2, 1 << 30}, options.min_clusters);
  visit(Field{"max_clusters", "most clusters that may be chosen; auto: a tenth of the nodes, at most 200", 2,
              1 << 30, "auto", 0},
        options.max_clusters);
  visit(
      Field{"components",
            "auto: components that are small beside a cluster join the smallest clusters, and the large ones "
            "are divided into k; whole: the method gets the whole graph"},
      options.components);
  visit(fields::objective, options.objective);
  visit(fields::effort, options.effort);
  visit(fields::laplacian, options.laplacian);
  visit(fields::regularization, options.regularization);
  visit(
      Field{"features", "random signals d; auto: round(4 ln samples), for points 96", 1, 1 << 20, "auto", 0},
      options.features);
  visit(
      Field{
          "samples",
          "nodes that k-means sees; auto: 2 k ln k, at least 20 k and 1000; for points 200 k, at least 5000",
          1, 1 << 30, "auto", 0},
      options.samples);
  visit(Field{"order",
              "degree p of the Jackson-Chebyshev filter; raise it when eigenvalues lie close together; auto: "
              "50, for "
              "points 200",
              1, 100000, "auto", 0},
        options.order);
  visit(fields::assign, options.assign);
  visit(fields::sampling, options.sampling);
  visit(fields::lambda_method, options.lambda_method);
  visit(fields::lambda_k, options.lambda_k);
  visit(
      Field{"restarts", "runs of k-means; the best is kept; auto: 20, with filtered 5", 1, 10000, "auto", 0},
      options.restarts);
  visit(fields::error, options.error);
  visit(fields::failure_probability, options.failure_probability);
  visit(fields::oversampling, options.oversampling);
  visit(fields::eigen_tolerance, options.eigen_tolerance);
  visit(fields::passes, options.passes);
  visit(fields::refine, options.refine);
  visit(kSeedField, options.seed);
}

/// The result of cluster(). labels, clusters, lambda_k, density and report are those of ClusterResult; the
/// report is the method's, with the stages around it and, if k was chosen, the figures choice_clusters,
/// choice_stability, choice_standard_error and choice_gap.
struct Clustering : ClusterResult {
  graph::PartitionScores scores;        ///< scores of the labels
  std::optional<ClusterChoice> choice;  ///< if k was chosen
};

/// Clusters a graph. adjacency: see graph::Graph; it is checked once. Chooses k if options.clusters is 0,
/// runs the method and scores its labels. If the graph has several components, the method gets those that
/// apportion_clusters() divides, as a graph of their own, and the others become or join clusters; k is then
/// chosen for the components with at least a tenth of the volume of the largest, and one more is added for
/// each other that gets a cluster. The figures components_divided, clusters_of_divided,
/// components_as_clusters and components_joined of the report count them. Cost and determinism are those of
/// the method (and of choose_number_of_clusters). Throws invalid_argument (options out of range or unused by
/// the method, a warm start that does not fit, an unsound graph), memory_limit (before it starts; with
/// clusters = 0 the choice of k does, and then the method, once k is known) and cancelled.
Clustering cluster(CsrView adjacency, const ClusterOptions& options = {}, const Context& context = Context{});

struct PointClusterOptions {
  ClusterOptions cluster{.method = Method::compressive};  ///< its seed is that of the whole run
  graph::NeighborOptions neighbors;                       ///< its seed is ignored
  graph::NeighborGraphOptions graph;
  bool saves_model = false;  ///< count the memory of save_model() when the run is checked against the limit
};

struct PointClustering : Clustering {
  graph::Graph graph;  ///< the graph of the nearest neighbours; node i is row i
};

/// Clusters points, n × d float32, by the graph of their nearest neighbours (graph::point_graph). Fields of
/// options.cluster that are left automatic get values that suit such graphs: see options_for_points(). The
/// method is compressive unless you choose another; it follows clusters of any shape, as the automatic method
/// does not.
PointClustering cluster_points(MatrixView<const float> points, const PointClusterOptions& options = {},
                               const Context& context = Context{});

/// The same, and frees the points as soon as their graph is made.
PointClustering cluster_points(Matrix<float>&& points, const PointClusterOptions& options = {},
                               const Context& context = Context{});

/// The same for float64 points, as graph::float32_points() rounds them: coordinates with a large common part,
/// such as times, keep what tells them apart.
PointClustering cluster_points(MatrixView<const double> points, const PointClusterOptions& options = {},
                               const Context& context = Context{});

/// The model with which assign() finds the clusters of new points, from the points of cluster_points(), its
/// result and its options. The second function keeps the shift of the points, for new points in float64.
PointModel make_model(Matrix<float> points, const Clustering& clustering, const PointClusterOptions& options);
PointModel make_model(graph::Points points, const Clustering& clustering, const PointClusterOptions& options);

/// Reads the labels of an earlier run for the nodes of a graph: −1 for nodes that the file does not name.
/// Throws invalid_argument unless the file has options.clusters clusters, each with a node of the graph, and,
/// if it has no ids, as many entries as nodes; io and format as graph::read_labels.
std::vector<std::int32_t> read_warm_start(const std::filesystem::path& path, const graph::NodeIds& ids,
                                          const ClusterOptions& options, const Context& context = Context{});

/// Whether the method has the option of this name, a field of ClusterOptions.
bool has_option(Method method, std::string_view field);

/// Throws invalid_argument for fields that were given although the method, or the other options, leave them
/// unused. cluster() calls it with the fields that differ from their default; a program whose users give
/// options one by one knows better which were given.
void check_given(const ClusterOptions& options, const std::function<bool(std::string_view field)>& given);

/// The picture of a clustering: cluster_picture() of picture.hpp with the density of the eigenvalues and the
/// stability of every number of clusters tried, if they are known.
std::string cluster_picture(CsrView adjacency, const Clustering& clustering,
                            const Context& context = Context{});

}  // namespace parsimony::cluster
