// parsimony knn-graph: makes the graph of the nearest neighbours of points.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "clustering/points.hpp"
#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/point_graph.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kKnnGraphExamples = R"(Examples:
  parsimony knn-graph points.npy --neighbors 10 --output graph.npz
  parsimony knn-graph table.csv.gz --metric cosine --edges mutual --output graph.mtx.gz

The nodes are the rows: 0, 1, … (1, 2, … in .mtx and .graph).)";

struct KnnGraphSettings {
  std::string points;
  std::string array;
  std::string output;
  graph::PointGraphOptions options;
  graph::WriteOptions write;
  RunSettings run;
};

int run_knn_graph(const KnnGraphSettings& settings, Terminal& terminal) {
  const auto input = input_path(settings.points);
  check_readable(input);
  const auto output = checked_output("--output", settings.output, settings.run.json, {input});
  graph::check_graph_output(output, settings.write);
  const Context context = start(terminal, settings.run);

  const graph::Points points =
      graph::read_points(input, settings.options.neighbors.metric, {.array = settings.array}, context);
  graph::PointGraph made = graph::point_graph(points.rows, settings.options, context);
  const graph::GraphFile file{std::move(made.graph), graph::NodeIds::consecutive(points.rows.rows(), 0)};
  OutputSet outputs;
  graph::write_graph(outputs.file(output), file, settings.write, context);
  if (settings.run.json) {
    auto root = report_json(made.report);
    root["graph"] = graph_json(settings.output, file);
    print(json_text(root, context));
  }
  outputs.commit();
  terminal.note(fmt::format("{}: {}, {}; neighbours: {}, {:.2f} s", settings.output,
                            count_of(file.graph.nodes(), "node"), count_of(file.graph.edges(), "edge"),
                            search_text(made.report), made.report.seconds()));
  return kDone;
}

}  // namespace

Action add_knn_graph(CLI::App& app) {
  const auto settings = std::make_shared<KnnGraphSettings>();
  app.footer(kKnnGraphExamples);
  add_points_argument(app, settings->points);
  describe(settings->options, Flags(app, "Points"));
  add_array_flag(app, settings->array);
  add_output_flag(
      app, settings->output,
      "file of the graph: .npz (SciPy reads it), .mtx or an edge list; .gz and .zst too; - for stdout")
      ->required();
  describe(settings->write, Flags(app, "Output"));
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_knn_graph(*settings, terminal); };
}

}  // namespace parsimony::cli
