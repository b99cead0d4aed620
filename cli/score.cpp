// parsimony score: how good a partition is, by the graph or against a truth.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/read.hpp"
#include "parsimony/graph/scores.hpp"
#include "show_scores.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony score labels.txt --graph graph.mtx
  parsimony score labels.txt --truth truth.txt --json)";

struct Settings {
  std::string labels;
  std::string graph;
  std::string truth;
  graph::ReadOptions read;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

int run(const Settings& settings, Terminal& terminal) {
  if (settings.graph.empty() && settings.truth.empty()) {
    throw Error(ErrorCode::invalid_argument, "nothing to score by: give --graph, --truth or both");
  }
  for (const std::string& path : {settings.labels, settings.graph, settings.truth}) {
    if (!path.empty()) check_readable(input_path(path));
  }
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  const graph::Labels labels = graph::read_labels(settings.labels);
  nlohmann::ordered_json root{{"labels", settings.labels}, {"nodes", labels.clusters.size()}};
  std::string text = fmt::format("nodes             {}\n", labels.clusters.size());
  if (!settings.graph.empty()) {
    const graph::GraphFile file = graph::read_graph(input_path(settings.graph), settings.read, context);
    const graph::PartitionScores scores =
        graph::score_partition(file.graph, graph::align_labels(labels, file.ids), context);
    root["scores"] = scores_json(scores);
    text += scores_text(scores);
  }
  if (!settings.truth.empty()) {
    const graph::Labels truth = graph::read_labels(settings.truth);
    const graph::Agreement agreement =
        graph::agreement(graph::align_labels(labels, truth.ids), truth.clusters);
    root["agreement"] = {{"adjusted_rand", agreement.adjusted_rand},
                         {"normalized_mutual_information", agreement.normalized_mutual_information},
                         {"adjusted_mutual_information", agreement.adjusted_mutual_information}};
    text += fmt::format("ARI               {:.6f}\nNMI               {:.6f}\nAMI               {:.6f}\n",
                        agreement.adjusted_rand, agreement.normalized_mutual_information,
                        agreement.adjusted_mutual_information);
  }
  print(settings.json ? root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"
                      : text);
  return kDone;
}

}  // namespace

Action add_score(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("LABELS", settings->labels, "labels to score: lines of node-id<TAB>cluster, or .npy")
      ->required()
      ->type_name("");
  app.add_option("--graph", settings->graph, "score by this graph: modularity, normalized cut, conductance")
      ->type_name("FILE");
  app.add_option("--truth", settings->truth, "score against these labels: ARI, NMI, AMI")->type_name("FILE");
  app.add_flag("--json", settings->json, "print JSON")->group("Output");
  add_read_flags(app, settings->read);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
