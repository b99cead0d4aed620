#include "clustering/methods.hpp"

#include <fmt/format.h>

#include "parsimony/cluster/points.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/files.hpp"

namespace parsimony::cli {
namespace {

constexpr std::int64_t kAutomatic = 0;  // --clusters auto

void check_memory(const MethodSettings& settings, const graph::GraphFile& file, int threads) {
  const std::int64_t limit = settings.max_memory(), clusters = settings.automatic.clusters;
  if (limit == 0 || clusters > file.graph.nodes()) return;
  const graph::Graph& graph = file.graph;
  const std::int64_t held = graph_bytes(file) + settings.held;
  const std::int64_t needed =
      clusters == kAutomatic          ? cluster::estimate_memory(graph, settings.choice)
      : settings.method == "auto"     ? cluster::estimate_memory(graph, settings.automatic)
      : settings.method == "filtered" ? cluster::estimate_memory(graph, settings.filtered, threads)
      : settings.method == "exact"    ? cluster::estimate_memory(graph, settings.exact, threads)
                                      : cluster::estimate_memory(graph, settings.compressive, threads);
  if (held + needed <= limit) return;
  throw Error(ErrorCode::memory_limit,
              fmt::format("--max-memory: {} bytes are too few; the {} {} and clustering about {}", limit,
                          settings.held > 0 ? "points and their graph take" : "graph takes", held, needed));
}

// Settles the number of clusters of every method, and λ_k where it is to be found in the same way; the curve
// it was read off goes into the report.
cluster::ClusterChoice choose_clusters(MethodSettings& settings, CsrView adjacency, Report& report,
                                       const Context& context) {
  const cluster::CompressiveOptions& shared = settings.compressive;
  settings.choice.order = shared.order;
  settings.choice.laplacian = shared.laplacian;
  settings.choice.regularization = shared.regularization;
  settings.choice.seed = shared.seed;
  const StageTimer timer(report, "number of clusters");
  cluster::ClusterChoice choice = cluster::choose_number_of_clusters(adjacency, settings.choice, context);
  settings.automatic.clusters = settings.compressive.clusters = choice.clusters;
  settings.filtered.clusters = settings.exact.clusters = choice.clusters;
  // With an error asked for, λ_k and the sample follow from it.
  if (shared.error == 0 && shared.lambda_method == cluster::LambdaMethod::moments && shared.lambda_k == 0) {
    settings.compressive.lambda_k = settings.filtered.lambda_k = choice.lambda_k;
  }
  if (settings.points) {
    settings.compressive.samples = cluster::options_for_points(choice.clusters).samples;
  }
  std::vector<double> clusters, gap, stability, error;
  for (const cluster::ClusterCandidate& candidate : choice.candidates) {
    clusters.push_back(static_cast<double>(candidate.clusters));
    gap.push_back(candidate.gap);
    stability.push_back(candidate.stability);
    error.push_back(candidate.standard_error);
  }
  report.figures.emplace_back("choice_clusters", std::move(clusters));
  report.figures.emplace_back("choice_stability", std::move(stability));
  report.figures.emplace_back("choice_standard_error", std::move(error));
  report.figures.emplace_back("choice_gap", std::move(gap));
  return choice;
}

// The clusters of an earlier run on the nodes of this graph, −1 where it had none.
std::vector<std::int32_t> initial_labels(const MethodSettings& settings, const graph::GraphFile& file,
                                         const Context& context) {
  if (settings.warm_start.empty()) return {};
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--warm-start: {}: {}", settings.warm_start, message));
  };
  const std::int64_t nodes = file.graph.nodes(), clusters = settings.automatic.clusters;
  const graph::Labels earlier = graph::read_labels(settings.warm_start, settings.max_memory(), context);
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

cluster::ClusterResult run_method(const MethodSettings& settings, CsrView adjacency,
                                  std::span<const std::int32_t> initial, const Context& context,
                                  const spectral::SpectralDensity* density) {
  if (settings.method == "auto") {
    return cluster::automatic_clustering(adjacency, settings.automatic, initial, context);
  }
  if (settings.method == "filtered") {
    return cluster::filtered_spectral_clustering(adjacency, settings.filtered, initial, context);
  }
  if (settings.method == "exact") {
    return cluster::exact_spectral_clustering(adjacency, settings.exact, density, context);
  }
  return cluster::compressive_spectral_clustering(adjacency, settings.compressive, initial, context);
}

}  // namespace

Flags add_method_flags(CLI::App& app, MethodSettings& settings) {
  app.add_option("--method", settings.method,
                 "how to cluster (auto|compressive|filtered|exact, default auto; for points compressive)")
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
  describe(settings.automatic, flags.method("auto"));
  describe(settings.compressive, flags.method("compressive"));
  describe(settings.filtered, flags.method("filtered"));
  describe(settings.exact, flags.method("exact"));
  for (const char* method : {"auto", "compressive", "filtered", "exact"}) {
    flags.method(method);
    flags(Field{"min_clusters", "fewest that --clusters auto may choose", 2, 1 << 30},
          settings.choice.min_clusters);
    flags(Field{"max_clusters", "most of them; auto: a tenth of the nodes, at most 200", 2, 1 << 30},
          settings.choice.max_clusters);
  }
  flags.name_methods();
  app.get_option("--clusters")->description("number of clusters k; auto: the most stable number");
  app.add_option("--warm-start", settings.warm_start,
                 "auto, compressive, filtered: labels of an earlier run to start from, text or .npy; as many "
                 "clusters, which keep their numbers")
      ->type_name("FILE")
      ->group("Method");
  return flags;
}

void check_method_flags(const CLI::App& app, const Flags& flags, const MethodSettings& settings) {
  flags.check_method(settings.method);
  for (const char* flag : {"--min-clusters", "--max-clusters"}) {
    if (app.count(flag) == 0 || settings.automatic.clusters == kAutomatic) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: only --clusters auto chooses among numbers of clusters", flag));
  }
  const std::int64_t least = settings.choice.min_clusters, most = settings.choice.max_clusters;
  if (most != 0 && least > most) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--min-clusters: {} is more than --max-clusters, which is {}", least, most));
  }
  if (settings.warm_start.empty()) return;
  if (settings.method == "exact") {
    throw Error(ErrorCode::invalid_argument,
                "--warm-start: --method exact has no such option; it is one of auto, compressive, filtered");
  }
  if (settings.automatic.clusters == kAutomatic) {
    throw Error(ErrorCode::invalid_argument,
                "--warm-start: the number of clusters must be that of the earlier run, not auto");
  }
  check_readable(settings.warm_start);
}

void suit_points(const CLI::App& app, MethodSettings& settings) {
  const auto suited = cluster::options_for_points(settings.compressive.clusters);
  if (app.count("--method") == 0) settings.method = "compressive";
  if (app.count("--order") == 0) settings.compressive.order = settings.filtered.order = suited.order;
  const bool controlled = settings.compressive.error > 0;  // which chooses features and samples
  if (app.count("--features") == 0 && !controlled) {
    settings.compressive.features = settings.filtered.features = suited.features;
  }
  settings.points = app.count("--samples") == 0 && !controlled;
  if (settings.points) settings.compressive.samples = suited.samples;
}

std::int64_t graph_bytes(const graph::GraphFile& file) {
  const graph::Graph& graph = file.graph;
  return 8 * (graph.nodes() + 1) + (graph.weighted() ? 8 : 4) * graph.adjacency.entries() +
         8 * file.ids.size();
}

Clustering cluster_graph(MethodSettings settings, const graph::GraphFile& file, const Context& context) {
  check_memory(settings, file, context.threads());
  Report before;
  Clustering out;
  if (settings.automatic.clusters == kAutomatic) {
    out.choice = choose_clusters(settings, file.graph, before, context);
    check_memory(settings, file, context.threads());
  }
  out.result = run_method(settings, file.graph, initial_labels(settings, file, context), context,
                          out.choice && out.choice->density ? &*out.choice->density : nullptr);
  if (out.choice && out.result.lambda_k == out.choice->lambda_k) out.result.density = out.choice->density;
  add_before(out.result.report, before);
  return out;
}

}  // namespace parsimony::cli
