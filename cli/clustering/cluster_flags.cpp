#include "clustering/cluster_flags.hpp"

#include "clustering/points.hpp"
#include "parsimony/core/error.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {
namespace {

void add_method_flags(CLI::App& app, cluster::ClusterOptions& options) {
  options.method = cluster::ClusterOptions{}.method;  // help shows the default for graphs
  describe(options, [&](const Field& field, auto& value) {
    if (same_object(value, options.method)) Flags(app, "Method")(field, value);
  });
  Flags flags(app, "Method");
  flags.require("clusters");
  for (const auto& [method, name] : names_of(cluster::Method{})) {
    flags.method(std::string(name));
    describe(options, [&, method = method](const Field& field, auto& value) {
      if (!same_object(value, options.method) && cluster::has_option(method, field.name)) flags(field, value);
    });
  }
  flags.name_methods();
}

// Flags that say nothing about this kind of input are refused.
void check_input_flags(const CLI::App& app, const ClusterSettings& settings) {
  const bool points = settings.is_points;
  for (const std::string& flag : points ? settings.graph_flags : settings.point_flags) {
    if (app.count(flag) == 0) continue;
    refuse(flag + ": " + settings.input +
           (points ? " is an array of points; this flag is for graphs"
                   : " is a graph; this flag is for points, in a .npy or .npz file or with --points"));
  }
}

}  // namespace

void add_cluster_flags(CLI::App& app, ClusterSettings& settings) {
  app.add_option("GRAPH", settings.input,
                 "edge list, Matrix Market, METIS, SciPy .npz, GraphML, GML or Pajek; or points, the rows of "
                 "a .npy or .npz array, or "
                 "with --points of text such as CSV; plain, .gz or .zst; - for stdin")
      ->required()
      ->type_name("");
  add_method_flags(app, settings.cluster());
  app.add_option(
         "--warm-start", settings.warm_start,
         "auto, compressive, filtered: labels of an earlier run to start from, text or .npy; clusters keep "
         "their numbers, and must be as many")
      ->type_name("FILE")
      ->group("Method");
  describe(settings.machines, Flags(app, "Method"));
  settings.graph_flags = add_read_flags(app, settings.read);
  app.add_flag("--points", settings.is_points,
               "read points, one a row, from any file: .npy, .npz, or text such as CSV")
      ->group("Points");
  settings.point_flags =
      add_point_flags(app, settings.points.neighbors, settings.points.graph, settings.array);
  add_output_flags(app, settings.output);
  settings.point_flags.emplace_back("--save-model");
  add_run_flags(app, settings.run);
}

void settle_cluster_flags(const CLI::App& app, ClusterSettings& settings) {
  // --format is for graphs: it tells a .npz of another tool to be one.
  settings.is_points =
      settings.is_points ||
      (!settings.read.affinity && graph::names_points(settings.input, app.count("--format") == 0));
  check_input_flags(app, settings);
  cluster::ClusterOptions& options = settings.cluster();
  if (settings.is_points && app.count("--method") == 0) {
    options.method = cluster::PointClusterOptions{}.cluster.method;
  }
  cluster::check_given(options, [&](std::string_view field) { return app.count("--" + kebab(field)) > 0; });
}

}  // namespace parsimony::cli
