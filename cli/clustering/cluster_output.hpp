// The files and texts that parsimony cluster writes: all of them, or none if it is cancelled.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "parsimony/cluster/cluster.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct ClusterOutput {
  std::string labels;  // empty: stdout, or the report alone
  graph::WriteLabelsOptions write;
  std::string model;
  std::string picture;
  std::string page;
  bool json = false;

  bool draws() const { return !picture.empty() || !page.empty(); }
  bool needs_points() const { return !model.empty() || draws(); }
};

/// --output, --save-model, --picture, --json and --report.
void add_output_flags(CLI::App& app, ClusterOutput& output);

/// Turns "-" into the path of stdout. Throws Error, naming the flag, for a file that cannot be written or
/// that another one of the run would overwrite.
void settle_outputs(ClusterOutput& output, const std::filesystem::path& input);

/// A clustering and what it was made of.
struct Clustered {
  std::string input;
  graph::GraphFile file;
  graph::Points points;  // no rows: the input is a graph
  cluster::Clustering clustering;
};

/// Writes the files, then the JSON report, the labels or a summary to stdout; then all files appear. The
/// points move into the model.
void write_clustering(const ClusterOutput& output, Clustered& done,
                      const cluster::PointClusterOptions& options, const Terminal& terminal,
                      const Context& context);

}  // namespace parsimony::cli
