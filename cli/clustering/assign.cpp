// parsimony assign: finds the clusters of new points with a saved model.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "clustering/points.hpp"
#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kAssignExamples = R"(Example:
  parsimony cluster points.npy --clusters 10 --output labels.txt --save-model model.npz
  parsimony assign model.npz new.npy --output new-labels.txt

Without --output and --json, the clusters go to stdout: row<TAB>cluster, one line per point.
An output that ends in .npy holds the clusters alone, as int32 in the order of the rows.)";

struct AssignSettings {
  std::string model;
  std::string points;
  std::string array;
  std::string output;
  std::string labels;
  cluster::AssignOptions options;
  graph::WriteLabelsOptions write;
  RunSettings run;
};

int run_assign(const AssignSettings& settings, Terminal& terminal) {
  const auto model_path = input_path(settings.model), points_path = input_path(settings.points);
  check_readable(model_path);
  check_readable(points_path);
  if (!settings.labels.empty()) check_readable(settings.labels);
  std::filesystem::path output = settings.run.json ? "" : kStandardOutput;
  if (!settings.output.empty()) {
    output = checked_output("--output", settings.output, settings.run.json,
                            {model_path, points_path, settings.labels});
  }
  if (!output.empty()) graph::check_labels_output(output, settings.write);
  const Context context = start(terminal, settings.run);

  const cluster::PointModel model = cluster::load_model(model_path, context.memory_left());
  if (!settings.labels.empty()) {
    cluster::check_model_labels(model, settings.model, graph::read_labels(settings.labels, context));
  }
  const graph::PointArray array = graph::read_point_array(points_path, {.array = settings.array}, context);
  const cluster::ClusterResult result = std::visit(
      [&](const auto& points) { return cluster::assign(model, points.view(), settings.options, context); },
      array);
  const auto count = static_cast<std::int64_t>(result.labels.size());
  context.check_cancelled();
  OutputSet outputs;
  if (!output.empty()) {
    graph::write_labels(outputs.file(output), graph::NodeIds::consecutive(count, 0), result.labels,
                        settings.write);
  }
  if (settings.run.json) {
    auto root = report_json(result.report);
    root["points"] = {{"path", settings.points}, {"count", count}, {"clusters", result.clusters}};
    print(json_text(root, context));
  }
  outputs.commit();
  if (settings.run.json || output == kStandardOutput) return kDone;
  terminal.note(fmt::format("{}: {} in {}; neighbours: {}, {:.2f} s", settings.output,
                            count_of(count, "point"), count_of(result.clusters, "cluster"),
                            search_text(result.report), result.report.seconds()));
  return kDone;
}

}  // namespace

Action add_assign(CLI::App& app) {
  const auto settings = std::make_shared<AssignSettings>();
  app.footer(kAssignExamples);
  app.add_option("MODEL", settings->model, "file that parsimony cluster --save-model wrote")
      ->required()
      ->type_name("");
  add_points_argument(app, settings->points);
  app.add_option("--labels", settings->labels,
                 "labels of the run that saved MODEL: refused if they are of another run")
      ->type_name("FILE");
  describe(settings->options, Flags(app, "Search"));
  add_array_flag(app, settings->array);
  add_output_flag(app, settings->output, "file of the labels: .txt, .tsv, .csv or .npy; - for stdout");
  describe(settings->write, Flags(app, "Output"));
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_assign(*settings, terminal); };
}

}  // namespace parsimony::cli
