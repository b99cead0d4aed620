#include "clustering/cluster_output.hpp"

#include <fmt/format.h>

#include <utility>

#include "parsimony/cluster/point_picture.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

void add_output_flags(CLI::App& app, ClusterOutput& output) {
  add_output_flag(app, output.labels, "file of the labels: .txt, .tsv, .csv or .npy; - for stdout");
  describe(output.write, Flags(app, "Output"));
  app.add_option("--save-model", output.model,
                 "file (.npz) with which parsimony assign finds the clusters of new points")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--picture", output.picture,
                 "PNG: the sorted adjacency matrix, sizes and conductances; for points, a map")
      ->type_name("FILE")
      ->group("Output");
  add_json_flag(app, output.json);
  add_page_flag(app, output.page);
}

void settle_outputs(ClusterOutput& output, const std::filesystem::path& input) {
  if (output.labels.empty() && !output.json) output.labels = "-";
  if (!output.labels.empty()) {
    output.labels = checked_output("--output", output.labels, output.json, {input}).string();
    graph::check_labels_output(output.labels, output.write);
  }
  if (!output.model.empty()) check_writable("--save-model", output.model, {input, output.labels});
  check_page(output.page, {input, output.labels, output.model, output.picture});
  if (output.picture.empty()) return;
  check_writable("--picture", output.picture, {input, output.labels, output.model});
  if (std::filesystem::path(output.picture).extension() != ".png") {
    refuse("--picture: the picture is a PNG; its name must end in .png");
  }
}

void write_clustering(const ClusterOutput& output, Clustered& done,
                      const cluster::PointClusterOptions& options, const Terminal& terminal,
                      const Context& context) {
  context.check_cancelled();
  Context finishing = context;  // from here on the run is worth its files
  finishing.stop = {};
  OutputSet outputs;
  cluster::Clustering& clustering = done.clustering;
  const auto write_labels = [&] {
    const StageTimer writing(clustering.report, "write");
    graph::write_labels(outputs.file(output.labels), done.file.ids, clustering.labels, output.write);
  };
  const bool to_stdout = output.labels == kStandardOutput;
  if (!output.labels.empty() && !to_stdout) write_labels();
  std::vector<ReportPicture> pictures;
  if (output.draws()) {
    const StageTimer drawing(clustering.report, "picture");
    const bool points = done.points.rows.rows() > 0;
    pictures = {
        {points ? "the points, by cluster" : "the adjacency matrix, sorted by cluster",
         points ? cluster::point_picture(done.points.rows, clustering.labels, clustering.clusters, finishing)
                : cluster::cluster_picture(done.file.graph, clustering, finishing)}};
    if (!output.picture.empty()) write_file(outputs.file(output.picture), pictures.front().png);
  }
  if (!output.model.empty()) {
    const StageTimer saving(clustering.report, "model");
    cluster::save_model(outputs.file(output.model),
                        cluster::make_model(std::move(done.points), clustering, options));
  }
  clustering.report.memory = memory_of(context);
  const std::string json = clustering_json(done.input, done.file, clustering, clustering.scores);
  write_page(output.page, json, std::move(pictures), terminal, finishing, outputs);
  if (output.json) {
    print(json);
  } else if (to_stdout) {
    write_labels();
  } else {
    print(clustering_text(done.file, clustering, clustering.scores));
  }
  outputs.commit();
}

}  // namespace parsimony::cli
