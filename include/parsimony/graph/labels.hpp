// Files of labels: the clusters of nodes, written by clustering or known as a truth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

struct Labels {
  NodeIds ids;
  std::vector<std::int32_t> clusters;  ///< cluster of every node, 0..names.size() − 1
  std::vector<std::string> names;      ///< names of the clusters in the file, ascending
  bool by_position = false;            ///< the file has no ids: they are 0..N−1
  std::string file;                    ///< its name, for messages
};

/// Reads lines of `node<blank, tab or comma>cluster` with ids as in edge lists, or one cluster per line, or a
/// 1-D .npy array of whole numbers; in the last two the nodes are 0..N−1. Clusters are integers, or words if
/// any of them is not an integer. Separators, quotes and a header line are found as in edge lists, and a
/// header is told to the context. Lines that begin with #, % or // are comments; gzip and zstd are
/// transparent. A node that is listed twice, like every fault, throws Error(format) with file and line.
Labels read_labels(const std::filesystem::path& path, const Context& context = Context{});

enum class LabelFormat { automatic, tsv, csv, npy };

constexpr auto names_of(LabelFormat) {
  using enum LabelFormat;
  return enum_names<LabelFormat>({{automatic, "auto"}, {tsv, "tsv"}, {csv, "csv"}, {npy, "npy"}});
}

struct WriteLabelsOptions {
  /// automatic: by the ending, before .gz or .zst; tsv without any ending. Set it for other names.
  LabelFormat output_format = LabelFormat::automatic;
};

template <OptionsOf<WriteLabelsOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"output_format", "format of the labels; auto: by the ending of the file"},
        options.output_format);
}

/// Throws invalid_argument if write_labels has no format for this name, with the endings that it knows. Call
/// it before long work.
void check_labels_output(const std::filesystem::path& path, const WriteLabelsOptions& options = {});

/// Writes clusters[i] for node ids.name(i): .txt and .tsv are lines `id<TAB>cluster`, .csv lines
/// `id,cluster`, .npy the clusters alone, as int32 in the order of the ids; .gz and .zst compress. The file
/// is written under a temporary name and then renamed. Throws invalid_argument for any other ending, and io.
void write_labels(const OutputPath& path, const NodeIds& ids, std::span<const std::int32_t> clusters,
                  const WriteLabelsOptions& options = {});

/// The clusters of the nodes that two labelings share, in the order of the first. Nodes are matched by their
/// ids, or by position if one labeling has no ids.
struct AlignedLabels {
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> second;
  std::int64_t only_in_first = 0;
  std::int64_t only_in_second = 0;
};
/// Throws format, with the numbers, for labelings that share no node, or that have no ids and not as many
/// nodes.
AlignedLabels align_labels(const Labels& first, const Labels& second);

}  // namespace parsimony::graph
