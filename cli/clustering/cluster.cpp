// parsimony cluster: the clusters of a graph.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "clustering/methods.hpp"
#include "clustering/points.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/cluster/picture.hpp"
#include "parsimony/cluster/point_picture.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "parsimony/graph/scores.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --output labels.txt
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --method compressive --order 80
  parsimony cluster graph.mtx --clusters auto --max-clusters 40 --output labels.txt
  parsimony cluster graph.mtx --clusters 100 --seed 7 --max-memory 4GiB --json > report.json

Points, the rows of a .npy array, are clustered by the graph of their nearest neighbours; the
defaults are then --method compressive, --order 200, --features 96 and 200 samples a cluster, at
least 5000:
  parsimony cluster points.npy --clusters 10 --neighbors 15 --save-model model.npz
  parsimony cluster points.npy --clusters 10 --output labels.npy --picture points.png

Without --output and --json, the clusters go to stdout: node-id<TAB>cluster, one line a node.
An output that ends in .npy holds the clusters alone, as int32 in the order of the sorted ids.)";

struct Settings {
  std::string graph;
  std::string output;
  std::string picture;
  MethodSettings method;
  graph::ReadOptions read;
  PointOptions points;
  std::string model;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

// Flags that say nothing about the input are refused, not passed over.
void check_input_flags(const CLI::App& app, const Settings& settings,
                       const std::vector<std::string>& point_flags) {
  const bool points = names_points(settings.graph);
  for (const std::string& flag :
       points ? std::vector<std::string>{"--format", "--symmetrize"} : point_flags) {
    if (app.count(flag) == 0) continue;
    refuse(fmt::format("{}: {} {}", flag, settings.graph,
                       points ? "is an array of points; this flag is for graphs"
                              : "is a graph; this flag is for points, in a file that ends in .npy"));
  }
}

void check(const Settings& settings) {
  const auto input = input_path(settings.graph);
  check_readable(input);
  if (!settings.output.empty()) check_writable("--output", settings.output, {input});
  if (!settings.model.empty()) check_writable("--save-model", settings.model, {input, settings.output});
  if (!settings.picture.empty()) {
    check_writable("--picture", settings.picture, {input, settings.output, settings.model});
    if (std::filesystem::path(settings.picture).extension() != ".png") {
      refuse("--picture: the picture is a PNG; its name must end in .png");
    }
  }
}

// What writing the model takes beside the graph, when the clustering has given its memory back.
void check_saving(const Settings& settings, const Matrix<float>& points, const graph::GraphFile& file) {
  const std::int64_t limit = settings.method.max_memory();
  if (limit == 0 || settings.model.empty()) return;
  const std::int64_t needed =
      graph_bytes(file) + 4 * points.size() + cluster::estimate_saving_memory(points.rows(), points.cols());
  if (needed <= limit) return;
  throw Error(ErrorCode::memory_limit,
              fmt::format("--max-memory: {} bytes are too few; writing the model takes about {}, the graph "
                          "and the points among them",
                          limit, needed));
}

void print_labels(const graph::NodeIds& ids, std::span<const std::int32_t> clusters) {
  std::string text;
  for (std::int64_t node = 0; node < ids.size(); ++node) {
    text += ids.name(node);
    fmt::format_to(std::back_inserter(text), "\t{}\n", clusters[static_cast<std::size_t>(node)]);
  }
  print(text);
}

// With the curve that the number of clusters was read off, where it was chosen.
void draw(const std::string& path, CsrView adjacency, const cluster::ClusterResult& result,
          const std::optional<cluster::ClusterChoice>& choice, const graph::PartitionScores& scores,
          const Context& context) {
  cluster::PictureDetails details{.lambda_k = result.lambda_k,
                                  .density = result.density ? &*result.density : nullptr};
  std::vector<std::int64_t> clusters;
  std::vector<double> stability, error;
  if (choice) {
    if (!details.density) details.density = &*choice->density;
    if (details.lambda_k == 0) details.lambda_k = choice->lambda_k;
    for (const cluster::ClusterCandidate& candidate : choice->candidates) {
      clusters.push_back(candidate.clusters);
      stability.push_back(candidate.stability);
      error.push_back(candidate.standard_error);
    }
    details.stability = {clusters, stability, error, choice->clusters};
  }
  cluster::write_cluster_picture(path, adjacency, result.labels, scores, details, context);
}

int run(Settings settings, Terminal& terminal) {
  check(settings);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);
  settings.read.max_memory = settings.method.max_memory();

  Report command;  // collects the stages around the clustering
  StageTimer reading(command, "read");
  Matrix<float> points;
  graph::GraphFile file;
  if (names_points(settings.graph)) {
    points = read_points(settings.graph, settings.read.max_memory);
    reading.finish();
    settings.points.neighbors.seed = settings.method.seed();
    file = graph_of_points(points, settings.points, settings.read.max_memory, command, context);
    if (settings.model.empty() && settings.picture.empty()) points = {};
    settings.method.held = 4 * points.size();
    check_saving(settings, points, file);
  } else {
    file = read_graph(settings.graph, settings.read, context);
    reading.finish();
  }
  auto [result, choice] = cluster_graph(settings.method, file, context);
  add_before(result.report, command);

  StageTimer scoring(result.report, "score");
  const graph::PartitionScores scores = graph::score_partition(file.graph, result.labels, context);
  scoring.finish();

  context.check_cancelled();
  Context finishing = context;  // from here on files appear: all of them or none
  finishing.stop = {};
  if (!settings.output.empty()) {
    const StageTimer writing(result.report, "write");
    graph::write_labels(settings.output, file.ids, result.labels);
  }
  if (!settings.model.empty()) {
    const StageTimer saving(result.report, "model");
    cluster::PointModel model{std::move(points), result.labels, result.clusters,
                              settings.points.neighbors.metric, settings.points.neighbors.neighbors};
    cluster::save_model(settings.model, model);
    points = std::move(model.points);
  }
  if (!settings.picture.empty()) {
    const StageTimer drawing(result.report, "picture");
    if (points.rows() > 0) {
      cluster::write_point_picture(settings.picture, points, result.labels, result.clusters, finishing);
    } else {
      draw(settings.picture, file.graph, result, choice, scores, finishing);
    }
  }
  if (settings.json) {
    print(clustering_json(settings.graph, file, result, scores));
  } else if (settings.output.empty()) {
    print_labels(file.ids, result.labels);
  } else {
    print(clustering_text(file, result, scores));
  }
  if (result.report.status == Status::converged) return kDone;
  terminal.warning("not converged: an iteration limit was met; the clusters are what was reached by then");
  return kNotConverged;
}

}  // namespace

Action add_cluster(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option(
         "GRAPH", settings->graph,
         "edge list, Matrix Market, METIS or SciPy .npz; or points, the rows of a .npy array; plain, .gz "
         "or .zst; - for stdin, a graph")
      ->required()
      ->type_name("");
  const Flags flags = add_method_flags(app, settings->method);
  add_read_flags(app, settings->read);
  std::vector<std::string> point_flags = add_point_flags(app, settings->points, false);
  app.add_option("-o,--output", settings->output, "file of the labels, text or .npy")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--save-model", settings->model,
                 "file (.npz) by which parsimony assign finds the clusters of new points")
      ->type_name("FILE")
      ->group("Output");
  point_flags.emplace_back("--save-model");
  app.add_option("--picture", settings->picture,
                 "PNG: the sorted adjacency matrix, sizes and conductances; of points, a map")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", settings->json, "print the report of the run as JSON")->group("Output");
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, flags, point_flags, &app](Terminal& terminal) {
    check_input_flags(app, *settings, point_flags);
    if (names_points(settings->graph)) suit_points(app, settings->method);
    check_method_flags(app, flags, settings->method);
    return run(*settings, terminal);
  };
}

}  // namespace parsimony::cli
