// Clusters of nodes in files: what clustering writes and what a truth is read from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

struct Labels {
  NodeIds ids;
  std::vector<std::int32_t> clusters;  ///< of every node, 0..names.size() − 1
  std::vector<std::string> names;      ///< what the clusters are called in the file, ascending
  bool by_position = false;            ///< the file has no ids: they are 0..N−1
};

/// Reads `node<blank, tab or comma>cluster` lines, ids as in edge lists, or one cluster a line, or a 1-D .npy
/// array of whole numbers: in the last two the nodes are 0..N−1. Clusters are integers or, when any is none,
/// words. Lines that begin with #, % or // are comments; gzip and zstd are transparent. A node met twice,
/// like every fault, throws Error(format) naming file and line. max_memory bounds the bytes used, 0 is no
/// bound.
Labels read_labels(const std::filesystem::path& path, std::int64_t max_memory = 0,
                   const Context& context = Context{});

/// Writes clusters[i] of node ids.name(i): as .npy (int32, in the order of the ids) or, with any other
/// ending, as lines `id<TAB>cluster`; .gz and .zst compress. Through a temporary file that is then renamed.
void write_labels(const std::filesystem::path& path, const NodeIds& ids,
                  std::span<const std::int32_t> clusters);

/// The clusters of the nodes that two labelings share, in the order of the first.
struct AlignedLabels {
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> second;
  std::int64_t only_in_first = 0;
  std::int64_t only_in_second = 0;
};
AlignedLabels align_labels(const Labels& first, const Labels& second);

}  // namespace parsimony::graph
