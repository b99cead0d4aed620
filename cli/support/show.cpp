#include "support/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/report_json.hpp"

namespace parsimony::cli {

std::string scores_text(const graph::PartitionScores& scores) {
  std::vector<std::int64_t> sizes = scores.sizes;
  std::sort(sizes.begin(), sizes.end());
  std::string text;
  if (!sizes.empty()) {
    const std::size_t middle = sizes.size() / 2;
    const auto median = static_cast<double>(sizes[middle] + sizes[(sizes.size() - 1) / 2]) / 2;
    text += fmt::format("sizes             {} to {}, median {}\n", sizes.front(), sizes.back(), median);
  }
  return text + fmt::format("modularity        {:.6f}\nnormalized cut    {:.6f}\nmean conductance  {:.6f}\n",
                            scores.modularity, scores.normalized_cut, scores.mean_conductance);
}

nlohmann::ordered_json scores_json(const graph::PartitionScores& scores) {
  return {{"modularity", scores.modularity},
          {"normalized_cut", scores.normalized_cut},
          {"mean_conductance", scores.mean_conductance},
          {"sizes", scores.sizes},
          {"conductance", scores.conductance},
          {"volume", scores.volume},
          {"cut", scores.cut}};
}

std::string agreement_text(const graph::Agreement& agreement) {
  return fmt::format("ARI               {:.6f}\nNMI               {:.6f}\nAMI               {:.6f}\n",
                     agreement.adjusted_rand, agreement.normalized_mutual_information,
                     agreement.adjusted_mutual_information);
}

nlohmann::ordered_json agreement_json(const graph::Agreement& agreement, std::int64_t nodes) {
  return {{"nodes", nodes},
          {"adjusted_rand", agreement.adjusted_rand},
          {"normalized_mutual_information", agreement.normalized_mutual_information},
          {"adjusted_mutual_information", agreement.adjusted_mutual_information}};
}

std::string labels_text(const graph::Labels& labels) {
  return fmt::format("nodes             {}\nclusters          {}\n", labels.clusters.size(),
                     labels.names.size());
}

nlohmann::ordered_json labels_json(const std::string& path, const graph::Labels& labels) {
  return {{"labels", path},
          {"nodes", labels.clusters.size()},
          {"clusters", labels.names.size()},
          {"names", labels.names}};
}

GraphFigures::GraphFigures(const graph::GraphFile& file)
    : nodes(file.graph.nodes()),
      edges(file.graph.edges()),
      weighted(file.graph.weighted()),
      self_loops_dropped(file.self_loops_dropped),
      duplicates_merged(file.duplicates_merged),
      zeros_dropped(file.zeros_dropped) {}

nlohmann::ordered_json graph_json(const std::string& path, const GraphFigures& graph) {
  return {{"path", path},
          {"nodes", graph.nodes},
          {"edges", graph.edges},
          {"weighted", graph.weighted},
          {"self_loops_dropped", graph.self_loops_dropped},
          {"duplicates_merged", graph.duplicates_merged},
          {"zeros_dropped", graph.zeros_dropped}};
}

std::string clustering_json(const std::string& path, const GraphFigures& graph,
                            const cluster::ClusterResult& result, const graph::PartitionScores& scores) {
  auto root = report_json(result.report);
  root["graph"] = graph_json(path, graph);
  root["scores"] = scores_json(scores);
  return json_text(root);
}

std::string clustering_text(const GraphFigures& graph, const cluster::ClusterResult& result,
                            const graph::PartitionScores& scores) {
  std::string text = fmt::format("nodes             {}\nedges             {}\nclusters          {}\n",
                                 graph.nodes, graph.edges, result.clusters);
  if (result.lambda_k > 0) text += fmt::format("lambda_k          {:.6g}\n", result.lambda_k);
  text += scores_text(scores) + fmt::format("seconds           {:.3f}", result.report.seconds());
  const char* separator = ": ";
  for (const Stage& stage : result.report.stages) {
    text += fmt::format("{}{} {:.3f}", std::exchange(separator, ", "), stage.name, stage.seconds);
  }
  return text + "\n";
}

}  // namespace parsimony::cli
