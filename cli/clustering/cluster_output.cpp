#include "clustering/cluster_output.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "parsimony/cluster/point_picture.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/files.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"

namespace parsimony::cli {
namespace {

void print_labels(const graph::NodeIds& ids, std::span<const std::int32_t> clusters) {
  std::string text;
  for (std::int64_t node = 0; node < ids.size(); ++node) {
    text += ids.name(node);
    fmt::format_to(std::back_inserter(text), "\t{}\n", clusters[static_cast<std::size_t>(node)]);
  }
  print(text);
}

}  // namespace

void add_output_flags(CLI::App& app, ClusterOutput& output) {
  add_output_flag(app, output.labels, "file of the labels, text or .npy");
  app.add_option("--save-model", output.model,
                 "file (.npz) with which parsimony assign finds the clusters of new points")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--picture", output.picture,
                 "PNG: the sorted adjacency matrix, sizes and conductances; for points, a map")
      ->type_name("FILE")
      ->group("Output");
  add_json_flag(app, output.json);
}

void check_outputs(const ClusterOutput& output, const std::filesystem::path& input) {
  if (!output.labels.empty()) check_writable("--output", output.labels, {input});
  if (!output.model.empty()) check_writable("--save-model", output.model, {input, output.labels});
  if (output.picture.empty()) return;
  check_writable("--picture", output.picture, {input, output.labels, output.model});
  if (std::filesystem::path(output.picture).extension() != ".png") {
    refuse("--picture: the picture is a PNG; its name must end in .png");
  }
}

void write_clustering(const ClusterOutput& output, Clustered& done,
                      const cluster::PointClusterOptions& options, const Context& context) {
  context.check_cancelled();
  Context finishing = context;  // from here on files appear: all of them or none
  finishing.stop = {};
  cluster::Clustering& clustering = done.clustering;
  if (!output.labels.empty()) {
    const StageTimer writing(clustering.report, "write");
    graph::write_labels(output.labels, done.file.ids, clustering.labels);
  }
  if (!output.picture.empty()) {
    const StageTimer drawing(clustering.report, "picture");
    if (done.points.rows.rows() > 0) {
      cluster::write_point_picture(output.picture, done.points.rows, clustering.labels, clustering.clusters,
                                   finishing);
    } else {
      cluster::write_cluster_picture(output.picture, done.file.graph, clustering, finishing);
    }
  }
  if (!output.model.empty()) {
    const StageTimer saving(clustering.report, "model");
    cluster::save_model(output.model, cluster::make_model(std::move(done.points), clustering, options));
  }
  if (output.json) {
    print(clustering_json(done.input, done.file, clustering, clustering.scores));
  } else if (output.labels.empty()) {
    print_labels(done.file.ids, clustering.labels);
  } else {
    print(clustering_text(done.file, clustering, clustering.scores));
  }
}

}  // namespace parsimony::cli
