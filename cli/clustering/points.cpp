#include "clustering/points.hpp"

#include <fmt/format.h>

#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

std::vector<std::string> add_point_flags(CLI::App& app, PointOptions& options, bool with_seed) {
  const Flags flags = Flags(app, "Points").word("bandwidth", "auto", 0);
  std::vector<std::string> names;
  const auto add = [&](const Field& field, auto& value) {
    if (field.name == "seed" && !with_seed) return;
    flags(field, value);
    names.push_back("--" + kebab(field.name));
  };
  describe(options.neighbors, add);
  describe(options.graph, add);
  return names;
}

bool names_points(const std::string& path) {
  std::filesystem::path name = path;
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  return name.extension() == ".npy";
}

Matrix<float> read_points(const std::string& path, std::int64_t max_memory) {
  return read_npy_matrix(input_path(path), max_memory);
}

graph::GraphFile graph_of_points(const Matrix<float>& points, const PointOptions& options,
                                 std::int64_t max_memory, Report& report, const Context& context) {
  const std::int64_t needed =
      4 * points.size() + graph::estimate_memory(points.rows(), points.cols(), options.neighbors);
  if (max_memory > 0 && needed > max_memory) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("--max-memory: {} bytes are too few; the points and the search for their "
                            "neighbours take about {}",
                            max_memory, needed));
  }
  const graph::Neighbors neighbors = graph::nearest_neighbors(points, options.neighbors, context);
  report.stages.insert(report.stages.end(), neighbors.report.stages.begin(), neighbors.report.stages.end());
  report.figures.insert(report.figures.end(), neighbors.report.figures.begin(),
                        neighbors.report.figures.end());
  const auto& used = neighbors.report.options;
  for (const auto& option : used) {
    if (option.first != "seed") report.options.push_back(option);
  }
  describe(options.graph, Record{report.options});
  const StageTimer timer(report, "graph");
  return {graph::neighbor_graph(neighbors, options.graph, context),
          graph::NodeIds::consecutive(points.rows(), 0)};
}

std::string search_text(const Report& report) {
  double recall = 1, error = 0;
  for (const auto& [name, value] : report.figures) {
    if (name == "recall") recall = std::get<double>(value);
    if (name == "recall_standard_error") error = std::get<double>(value);
  }
  return recall < 1 || error > 0 ? fmt::format("recall {:.3f} ± {:.3f}", recall, error) : "exact";
}

}  // namespace parsimony::cli
