// parsimony cluster: the clusters of a graph.
#include <fmt/format.h>

#include <memory>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "parsimony/cluster/automatic.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/exact.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/cluster/number_of_clusters.hpp"
#include "parsimony/cluster/picture.hpp"
#include "parsimony/cluster/points.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "parsimony/graph/scores.hpp"
#include "points.hpp"
#include "show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --output labels.txt
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --method compressive --order 80
  parsimony cluster graph.mtx --clusters auto --max-clusters 40 --output labels.txt
  parsimony cluster graph.mtx --clusters 100 --seed 7 --max-memory 4GiB --json > report.json

Points, the rows of a .npy array, are clustered by the graph of their nearest neighbours; the
defaults are then --order 200, --features 64 and 200 samples a cluster, at least 5000:
  parsimony cluster points.npy --clusters 10 --neighbors 15 --save-model model.npz

Without --output and --json, the clusters go to stdout: node-id<TAB>cluster, one line a node.
An output that ends in .npy holds the clusters alone, as int32 in the order of the sorted ids.)";

constexpr std::int64_t kAutomatic = 0;  // --clusters auto

struct Settings {
  std::string graph;
  std::string output;
  std::string picture;
  std::string warm_start;
  std::string method = "auto";
  cluster::AutomaticOptions automatic;
  cluster::CompressiveOptions compressive;
  cluster::FilteredOptions filtered;
  cluster::ExactOptions exact;
  cluster::NumberOfClustersOptions choice;  // of --clusters auto
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
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: {} {}", flag, settings.graph,
                            points ? "is an array of points; this flag is for graphs"
                                   : "is a graph; this flag is for points, in a file that ends in .npy"));
  }
}

// Flags that were not given have other defaults for points.
void suit_points(const CLI::App& app, Settings& settings) {
  const auto suited = cluster::options_for_points(settings.compressive.clusters);
  if (app.count("--order") == 0) settings.compressive.order = suited.order;
  if (app.count("--features") == 0) settings.compressive.features = suited.features;
  if (app.count("--samples") == 0) settings.compressive.samples = suited.samples;
}

void check(const Settings& settings) {
  const auto input = input_path(settings.graph);
  check_readable(input);
  if (!settings.warm_start.empty()) {
    if (settings.method != "compressive" && settings.method != "filtered") {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("--warm-start: --method {} has no such option; it is one of compressive, filtered",
                      settings.method));
    }
    check_readable(settings.warm_start);
  }
  if (!settings.output.empty()) check_writable("--output", settings.output, {input});
  if (!settings.model.empty()) check_writable("--save-model", settings.model, {input, settings.output});
  if (!settings.picture.empty()) {
    check_writable("--picture", settings.picture, {input, settings.output, settings.model});
    if (std::filesystem::path(settings.picture).extension() != ".png") {
      throw Error(ErrorCode::invalid_argument, "--picture: the picture is a PNG; its name must end in .png");
    }
  }
}

cluster::ClusterResult cluster_by_method(const Settings& settings, CsrView adjacency,
                                         std::span<const std::int32_t> initial, const Context& context) {
  if (settings.method == "auto") return cluster::automatic_clustering(adjacency, settings.automatic, context);
  if (settings.method == "filtered") {
    return cluster::filtered_spectral_clustering(adjacency, settings.filtered, context, initial);
  }
  if (settings.method == "exact") {
    return cluster::exact_spectral_clustering(adjacency, settings.exact, context);
  }
  return cluster::compressive_spectral_clustering(adjacency, settings.compressive, context, initial);
}

// The clusters of an earlier run on the nodes of this graph, −1 where it had none.
std::vector<std::int32_t> initial_labels(const Settings& settings, const graph::GraphFile& file,
                                         const Context& context) {
  if (settings.warm_start.empty()) return {};
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--warm-start: {}: {}", settings.warm_start, message));
  };
  const std::int64_t nodes = file.graph.nodes(), clusters = settings.compressive.clusters;
  const graph::Labels earlier =
      graph::read_labels(settings.warm_start, settings.compressive.max_memory, context);
  if (std::ssize(earlier.names) != clusters) {
    refuse(
        fmt::format("has {} clusters; --clusters must be as many, not {}", earlier.names.size(), clusters));
  }
  std::vector<std::int32_t> initial = earlier.clusters;
  if (earlier.by_position && earlier.ids.size() != nodes) {
    refuse(fmt::format("has {} entries without ids for {} nodes; must be lines of node-id<TAB>cluster",
                       earlier.ids.size(), nodes));
  }
  if (!earlier.by_position) {
    initial.assign(static_cast<std::size_t>(nodes), -1);
    for (std::int64_t node = 0; node < nodes; ++node) {
      const std::int64_t at = earlier.ids.find(file.ids.name(node));
      if (at >= 0) initial[node] = earlier.clusters[at];
    }
  }
  std::vector<bool> kept(static_cast<std::size_t>(clusters));
  for (const std::int32_t cluster : initial) {
    if (cluster >= 0) kept[cluster] = true;
  }
  for (std::int64_t c = 0; c < clusters; ++c) {
    if (!kept[c]) refuse(fmt::format("no node of its cluster {} is in the graph", earlier.names[c]));
  }
  return initial;
}

// The limit is for the whole command; the library's estimate leaves the graph out, which the caller holds.
void check_memory(const graph::GraphFile& file, const Settings& settings, int threads) {
  const std::int64_t limit = settings.automatic.max_memory;  // one flag sets those of all methods
  const std::int64_t clusters = settings.automatic.clusters;
  if (limit == 0 || clusters > file.graph.nodes()) return;
  const graph::Graph& graph = file.graph;
  const std::int64_t held =
      8 * (graph.nodes() + 1) + (graph.weighted() ? 8 : 4) * graph.adjacency.entries() + 8 * file.ids.size();
  const std::int64_t needed =
      clusters == kAutomatic          ? cluster::estimate_memory(graph, settings.choice)
      : settings.method == "auto"     ? cluster::estimate_memory(graph, settings.automatic)
      : settings.method == "filtered" ? cluster::estimate_memory(graph, settings.filtered, threads)
      : settings.method == "exact"    ? cluster::estimate_memory(graph, settings.exact, threads)
                                      : cluster::estimate_memory(graph, settings.compressive, threads);
  if (held + needed <= limit) return;
  throw Error(ErrorCode::memory_limit,
              fmt::format("--max-memory: {} bytes are too few; the graph takes {} and clustering about {}",
                          limit, held, needed));
}

// The number of clusters, settled before the method runs with it; its curve goes into the report of the run.
void choose_clusters(Settings& settings, CsrView adjacency, Report& command, const Context& context) {
  const cluster::CompressiveOptions& shared = settings.compressive;
  settings.choice.order = shared.order;
  settings.choice.laplacian = shared.laplacian;
  settings.choice.regularization = shared.regularization;
  settings.choice.seed = shared.seed;
  StageTimer timer(command, "number of clusters");
  const cluster::ClusterChoice choice =
      cluster::choose_number_of_clusters(adjacency, settings.choice, context);
  settings.automatic.clusters = settings.compressive.clusters = choice.clusters;
  settings.filtered.clusters = settings.exact.clusters = choice.clusters;
  std::vector<double> clusters, gap, stability, error;
  for (const cluster::ClusterCandidate& candidate : choice.candidates) {
    clusters.push_back(static_cast<double>(candidate.clusters));
    gap.push_back(candidate.gap);
    stability.push_back(candidate.stability);
    error.push_back(candidate.standard_error);
  }
  command.figures.emplace_back("choice_clusters", std::move(clusters));
  command.figures.emplace_back("choice_stability", std::move(stability));
  command.figures.emplace_back("choice_standard_error", std::move(error));
  command.figures.emplace_back("choice_gap", std::move(gap));
}

void print_labels(const graph::NodeIds& ids, std::span<const std::int32_t> clusters) {
  std::string text;
  for (std::int64_t node = 0; node < ids.size(); ++node) {
    text += ids.name(node);
    fmt::format_to(std::back_inserter(text), "\t{}\n", clusters[static_cast<std::size_t>(node)]);
  }
  print(text);
}

int run(Settings settings, Terminal& terminal) {
  check(settings);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);
  settings.read.max_memory = settings.automatic.max_memory;

  Report command;  // collects the stages around the clustering
  StageTimer reading(command, "read");
  Matrix<float> points;
  graph::GraphFile file;
  if (names_points(settings.graph)) {
    points = read_points(settings.graph, settings.read.max_memory);
    reading.finish();
    settings.points.neighbors.seed = settings.compressive.seed;
    file = graph_of_points(points, settings.points, settings.read.max_memory, command, context);
    if (settings.model.empty()) points = {};
  } else {
    file = read_graph(settings.graph, settings.read, context);
    reading.finish();
  }
  check_memory(file, settings, context.threads());
  if (settings.compressive.clusters == kAutomatic) {
    choose_clusters(settings, file.graph, command, context);
    check_memory(file, settings, context.threads());
  }

  const std::vector<std::int32_t> initial = initial_labels(settings, file, context);
  cluster::ClusterResult result = cluster_by_method(settings, file.graph, initial, context);
  auto& stages = result.report.stages;
  stages.insert(stages.begin(), command.stages.begin(), command.stages.end());
  for (auto [from, to] : {std::pair{&command.options, &result.report.options},
                          std::pair{&command.figures, &result.report.figures}}) {
    to->insert(to->end(), from->begin(), from->end());
  }

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
    cluster::save_model(settings.model,
                        {std::move(points), result.labels, result.clusters, settings.points.neighbors.metric,
                         settings.points.neighbors.neighbors});
  }
  if (!settings.picture.empty()) {
    const StageTimer drawing(result.report, "picture");
    cluster::write_cluster_picture(
        settings.picture, file.graph, result.labels, scores,
        {.lambda_k = result.lambda_k, .density = result.density ? &*result.density : nullptr}, finishing);
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
  app.add_option("--method", settings->method,
                 "how to cluster (auto|compressive|filtered|exact, default auto)")
      ->check(CLI::IsMember({"auto", "compressive", "filtered", "exact"}).description(""))
      ->type_name("NAME")
      ->group("Method");
  Flags flags(app, "Method");
  flags.require("clusters")
      .word("clusters", "auto", static_cast<double>(kAutomatic))
      .word("max_clusters", "auto", 0)
      .word("regularization", "auto", -1)
      .word("features", "auto", 0)
      .word("samples", "auto", 0)
      .word("oversampling", "auto", 0)
      .word("lambda_k", "auto", 0)
      .word("max_memory", "unlimited", 0);
  describe(settings->automatic, flags.method("auto"));
  describe(settings->compressive, flags.method("compressive"));
  describe(settings->filtered, flags.method("filtered"));
  describe(settings->exact, flags.method("exact"));
  app.add_option(
         "--warm-start", settings->warm_start,
         "labels of an earlier run to start from, text or .npy; as many clusters, which keep their numbers")
      ->type_name("FILE")
      ->group("Method");
  cluster::NumberOfClustersOptions& choice = settings->choice;
  for (const char* method : {"auto", "compressive", "filtered", "exact"}) {
    flags.method(method);
    flags(Field{"min_clusters", "fewest that --clusters auto may choose", 2, 1 << 30}, choice.min_clusters);
    flags(Field{"max_clusters", "most of them; auto: a tenth of the nodes, at most 200", 2, 1 << 30},
          choice.max_clusters);
  }
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
  app.add_option("--picture", settings->picture, "PNG of the sorted adjacency matrix, sizes and conductances")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", settings->json, "print the report of the run as JSON")->group("Output");
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, flags, point_flags, &app](Terminal& terminal) {
    check_input_flags(app, *settings, point_flags);
    if (names_points(settings->graph)) suit_points(app, *settings);
    flags.check_method(settings->method);
    for (const char* flag : {"--min-clusters", "--max-clusters"}) {
      if (app.count(flag) == 0 || settings->compressive.clusters == kAutomatic) continue;
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: only --clusters auto chooses among numbers of clusters", flag));
    }
    const auto& [least, most] = std::pair(settings->choice.min_clusters, settings->choice.max_clusters);
    if (most != 0 && least > most) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("--min-clusters: {} is more than --max-clusters, which is {}", least, most));
    }
    return run(*settings, terminal);
  };
}

}  // namespace parsimony::cli
