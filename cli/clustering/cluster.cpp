// parsimony cluster: clusters a graph, or points.
#include <memory>
#include <utility>

#include "clustering/cluster_flags.hpp"
#include "clustering/cluster_output.hpp"
#include "clustering/points.hpp"
#include "machines/machines.hpp"
#include "parsimony/core/error.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/processes.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kClusterExamples = R"(Examples:
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --output labels.txt
  parsimony cluster com-dblp.ungraph.txt.gz --clusters 50 --method compressive --order 80
  parsimony cluster graph.mtx --clusters auto --max-clusters 40 --output labels.txt
  parsimony cluster graph.mtx --clusters 100 --seed 7 --max-memory 4GiB --json > report.json

Points, the rows of a .npy or .npz array or of text with --points, are clustered by the graph of their nearest neighbours:
  parsimony cluster points.npy --clusters 10 --neighbors 15 --save-model model.npz
  parsimony cluster points.npy --clusters 10 --output labels.npy --picture points.png
  parsimony cluster table.csv --points --clusters 10

Without --output and --json, the clusters go to stdout: node-id<TAB>cluster, one line per node.
An output that ends in .npy holds the clusters alone, as int32 in the order of the sorted ids.)";

// Labels of an earlier run in the order of these nodes; none if no file was given.
std::vector<std::int32_t> warm_start(const ClusterSettings& settings, const graph::NodeIds& ids,
                                     const Context& context) {
  if (settings.warm_start.empty()) return {};
  return cluster::read_warm_start(settings.warm_start, ids, settings.points.cluster, context);
}

void cluster_points(ClusterSettings& settings, Clustered& done, Report& before, const Context& context) {
  StageTimer reading(before, "read");
  done.points = graph::read_points(input_path(settings.input), settings.points.neighbors.metric,
                                   {.array = settings.array}, context);
  done.file.ids = graph::NodeIds::consecutive(done.points.rows.rows(), 0);
  const auto initial = warm_start(settings, done.file.ids, context);
  reading.finish();
  settings.cluster().warm_start = initial;
  settings.points.saves_model = !settings.output.model.empty();
  cluster::PointClustering found =
      settings.output.needs_points()
          ? cluster::cluster_points(done.points.rows, settings.points, context)
          : cluster::cluster_points(std::move(done.points.rows), settings.points, context);
  done.file.graph = std::move(found.graph);
  done.clustering = std::move(found);
}

void cluster_graph(ClusterSettings& settings, Clustered& done, Report& before, const Context& context) {
  StageTimer reading(before, "read");
  done.file = read_graph(settings.input, settings.read, context);
  const auto initial = warm_start(settings, done.file.ids, context);
  reading.finish();
  settings.cluster().warm_start = initial;
  done.clustering = cluster::cluster(done.file.graph, settings.cluster(), context);
}

int run_cluster(ClusterSettings settings, Terminal& terminal) {
  const auto input = input_path(settings.input);
  check_readable(input);
  if (settings.machines.column_groups > 1) refuse("--column-groups: more groups than 1 need mpirun");
  settle_outputs(settings.output, input);
  if (!settings.warm_start.empty()) check_readable(settings.warm_start);
  const Context context = start(terminal, settings.run);
  Report before;
  Clustered done{.input = settings.input};
  const auto run_on = settings.is_points ? cluster_points : cluster_graph;
  run_on(settings, done, before, context);
  add_before(done.clustering.report, before);
  write_clustering(settings.output, done, settings.points, terminal, context);
  if (done.clustering.report.status == Status::converged) return kDone;
  terminal.warning("not converged: an iteration limit was met; the clusters are those reached by then");
  return kNotConverged;
}

}  // namespace

Action add_cluster(CLI::App& app) {
  const auto settings = std::make_shared<ClusterSettings>();
  app.footer(kClusterExamples);
  add_cluster_flags(app, *settings);
  return [settings, &app](Terminal& terminal) {
    settle_cluster_flags(app, *settings);
    if (started_processes() > 1) return run_cluster_on_machines(*settings, app, terminal);
    return run_cluster(*settings, terminal);
  };
}

}  // namespace parsimony::cli
