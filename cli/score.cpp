// parsimony score: how good a partition is, by the graph or against a truth.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/read.hpp"
#include "parsimony/graph/scores.hpp"
#include "show.hpp"
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

struct Named {
  const std::string& path;
  const graph::Labels& labels;
};

// What two files say of the nodes that both have.
struct Matched {
  std::vector<std::int32_t> reference;
  std::vector<std::int32_t> labels;
};

// By the ids of the nodes; a .npy has none, and holds the clusters in the order of the sorted ids.
Matched match(Named reference, Named labels) {
  const auto is_npy = [](const std::string& path) {
    return std::filesystem::path(path).extension() == ".npy";
  };
  if (is_npy(reference.path) || is_npy(labels.path)) {
    const std::size_t expected = reference.labels.clusters.size(), found = labels.labels.clusters.size();
    if (found != expected) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: {} clusters for the {} nodes of {}; without ids, one a node is needed",
                              labels.path, found, expected, reference.path));
    }
    return {reference.labels.clusters, labels.labels.clusters};
  }
  graph::AlignedLabels aligned = graph::align_labels(reference.labels, labels.labels);
  return {std::move(aligned.first), std::move(aligned.second)};
}

int run(const Settings& settings, Terminal& terminal) {
  if (settings.graph.empty() && settings.truth.empty()) {
    throw Error(ErrorCode::invalid_argument, "nothing to score by: give --graph, --truth or both");
  }
  for (const std::string& path : {settings.labels, settings.graph, settings.truth}) {
    if (!path.empty()) check_readable(input_path(path));
  }
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  const graph::Labels labels = graph::read_labels(input_path(settings.labels), 0, context);
  const auto nodes = static_cast<std::int64_t>(labels.clusters.size());
  nlohmann::ordered_json root{{"labels", settings.labels},
                              {"nodes", nodes},
                              {"clusters", labels.names.size()},
                              {"names", labels.names}};
  std::string text = fmt::format("nodes             {}\nclusters          {}\n", nodes, labels.names.size());
  if (!settings.graph.empty()) {
    const graph::GraphFile file = read_graph(settings.graph, settings.read, context);
    graph::Labels places{
        file.ids, std::vector<std::int32_t>(static_cast<std::size_t>(file.graph.nodes())), {}};
    std::iota(places.clusters.begin(), places.clusters.end(), 0);
    const Matched matched = match({settings.graph, places}, {settings.labels, labels});
    if (matched.labels.size() < places.clusters.size()) {
      throw Error(
          ErrorCode::format,
          fmt::format("{}: {} of the {} nodes of {} have no cluster", settings.labels,
                      places.clusters.size() - matched.labels.size(), file.graph.nodes(), settings.graph));
    }
    const graph::PartitionScores scores = graph::score_partition(file.graph, matched.labels, context);
    root["scores"] = scores_json(scores);
    text += scores_text(scores);
  }
  if (!settings.truth.empty()) {
    const graph::Labels truth = graph::read_labels(input_path(settings.truth), 0, context);
    const Matched matched = match({settings.truth, truth}, {settings.labels, labels});
    if (matched.labels.empty()) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: shares no node with {}", settings.labels, settings.truth));
    }
    if (matched.labels.size() < truth.clusters.size() || matched.labels.size() < labels.clusters.size()) {
      terminal.note(fmt::format("the truth has {} nodes, the labels {}; the {} that both have are compared",
                                truth.clusters.size(), nodes, matched.labels.size()));
    }
    const graph::Agreement agreement = graph::agreement(matched.labels, matched.reference);
    root["agreement"] = {{"nodes", matched.labels.size()},
                         {"adjusted_rand", agreement.adjusted_rand},
                         {"normalized_mutual_information", agreement.normalized_mutual_information},
                         {"adjusted_mutual_information", agreement.adjusted_mutual_information}};
    text += fmt::format("ARI               {:.6f}\nNMI               {:.6f}\nAMI               {:.6f}\n",
                        agreement.adjusted_rand, agreement.normalized_mutual_information,
                        agreement.adjusted_mutual_information);
  }
  print(settings.json ? json_text(root) : text);
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
