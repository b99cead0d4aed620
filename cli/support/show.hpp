// Results as text for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "parsimony/cluster/compressive.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::cli {

std::string scores_text(const graph::PartitionScores& scores);
nlohmann::ordered_json scores_json(const graph::PartitionScores& scores);

std::string agreement_text(const graph::Agreement& agreement);
nlohmann::ordered_json agreement_json(const graph::Agreement& agreement, std::int64_t nodes);

/// A graph and the number of entries that its reader removed.
struct GraphFigures {
  std::int64_t nodes = 0, edges = 0;
  bool weighted = false;
  std::int64_t self_loops_dropped = 0, duplicates_merged = 0, zeros_dropped = 0;

  GraphFigures() = default;
  GraphFigures(
      const graph::GraphFile& file);  // NOLINT(google-explicit-constructor): files are shown as they are
};

std::string labels_text(const graph::Labels& labels);
nlohmann::ordered_json labels_json(const std::string& path, const graph::Labels& labels);
nlohmann::ordered_json graph_json(const std::string& path, const GraphFigures& graph);

/// The graph, the clustering, its scores and the time of every stage.
std::string clustering_text(const GraphFigures& graph, const cluster::ClusterResult& result,
                            const graph::PartitionScores& scores);
std::string clustering_json(const std::string& path, const GraphFigures& graph,
                            const cluster::ClusterResult& result, const graph::PartitionScores& scores);

/// Indented text with a final line end. Bytes that are not UTF-8, as paths may have, are replaced.
std::string json_text(const nlohmann::ordered_json& root);
/// The same of a run, with its memory: the limit, the estimate and the peak.
std::string json_text(nlohmann::ordered_json root, const Context& context);

}  // namespace parsimony::cli
