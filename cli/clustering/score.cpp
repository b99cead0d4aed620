// parsimony score: scores a partition by the graph, or against a truth.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/scores.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kScoreExamples = R"(Examples:
  parsimony score labels.txt --graph graph.mtx
  parsimony score labels.txt --truth truth.txt --json)";

struct ScoreSettings {
  std::string labels, graph, truth, model;
  bool self_loops = false;
  graph::ReadOptions read;
  RunSettings run;
};

// Tells how many nodes of either file are not compared.
void warn_of_others(const graph::Labels& reference, const graph::Labels& labels,
                    const graph::AlignedLabels& matched, Terminal& terminal) {
  if (matched.only_in_first == 0 && matched.only_in_second == 0) return;
  terminal.warning(fmt::format("{} has {}, {} has {}; the {} that both have are compared", reference.file,
                               count_of(reference.clusters.size(), "node"), labels.file,
                               labels.clusters.size(), matched.first.size()));
}

graph::PartitionScores score_by_graph(const graph::Labels& labels, const ScoreSettings& settings,
                                      Terminal& terminal, const Context& context) {
  graph::GraphFile file = read_graph(settings.graph, settings.read, context);
  const graph::Labels nodes{
      .ids = file.ids,
      .clusters = std::vector<std::int32_t>(static_cast<std::size_t>(file.graph.nodes())),
      .file = settings.graph};
  const graph::AlignedLabels matched = graph::align_labels(nodes, labels);
  if (matched.only_in_first > 0) {
    throw Error(ErrorCode::format,
                fmt::format("{}: {} of the {} of {} {} no cluster", settings.labels, matched.only_in_first,
                            count_of(file.graph.nodes(), "node"), settings.graph,
                            noun_of(matched.only_in_first, "has", "have")));
  }
  warn_of_others(nodes, labels, matched, terminal);
  if (!settings.self_loops && file.self_loops_dropped > 0) {
    file.loop_weights.clear();
    terminal.warning(fmt::format("{}: {} self loop{} not in the scores; --self-loops counts them",
                                 settings.graph, file.self_loops_dropped,
                                 file.self_loops_dropped == 1 ? " is" : "s are"));
  }
  return graph::score_partition(file.graph, matched.second, file.loop_weights, context);
}

int run_score(const ScoreSettings& settings, Terminal& terminal) {
  if (settings.graph.empty() && settings.truth.empty()) {
    refuse("nothing to score by: give --graph, --truth or both");
  }
  for (const std::string& path : {settings.labels, settings.graph, settings.truth, settings.model}) {
    if (!path.empty()) check_readable(input_path(path));
  }
  const Context context = start(terminal, settings.run);

  const graph::Labels labels = graph::read_labels(input_path(settings.labels), context);
  if (!settings.model.empty()) cluster::check_model_labels(settings.model, labels, context.memory_left());
  nlohmann::ordered_json root = labels_json(settings.labels, labels);
  std::string text = labels_text(labels);
  if (!settings.graph.empty()) {
    const graph::PartitionScores scores = score_by_graph(labels, settings, terminal, context);
    root["scores"] = scores_json(scores);
    text += scores_text(scores);
  }
  if (!settings.truth.empty()) {
    const graph::Labels truth = graph::read_labels(input_path(settings.truth), context);
    const graph::AlignedLabels matched = graph::align_labels(truth, labels);
    warn_of_others(truth, labels, matched, terminal);
    const graph::Agreement agreement = graph::agreement(matched.second, matched.first);
    root["agreement"] = agreement_json(agreement, std::ssize(matched.first));
    text += agreement_text(agreement);
  }
  print(settings.run.json ? json_text(root, context) : text);
  return kDone;
}

}  // namespace

Action add_score(CLI::App& app) {
  const auto settings = std::make_shared<ScoreSettings>();
  app.footer(kScoreExamples);
  app.add_option("LABELS", settings->labels, "labels to score: lines of node-id<TAB>cluster, or .npy")
      ->required()
      ->type_name("");
  app.add_option("--graph", settings->graph, "score by this graph: modularity, normalized cut, conductance")
      ->type_name("FILE");
  app.add_option("--truth", settings->truth, "score against these labels: ARI, NMI, AMI")->type_name("FILE");
  app.add_option("--model", settings->model, "model of the run: labels of another run are refused")
      ->type_name("FILE");
  Flags(app, "Score")(
      Field{"self_loops", "count the self loops of the graph in the scores, as networkx does"},
      settings->self_loops);
  add_json_flag(app, settings->run.json);
  add_read_flags(app, settings->read);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_score(*settings, terminal); };
}

}  // namespace parsimony::cli
