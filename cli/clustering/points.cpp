#include "clustering/points.hpp"

#include <fmt/format.h>

#include "parsimony/core/npy.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

std::vector<std::string> add_point_flags(CLI::App& app, graph::NeighborOptions& neighbors,
                                         graph::NeighborGraphOptions& graph) {
  const Flags flags(app, "Points");
  std::vector<std::string> names;
  const auto add = [&](const Field& field, auto& value) {
    if (same_object(value, neighbors.seed)) return;
    flags(field, value);
    names.push_back("--" + kebab(field.name));
  };
  describe(neighbors, add);
  describe(graph, add);
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

std::string search_text(const Report& report) {
  const double* recall = report.find_figure<double>("recall");
  const double* error = report.find_figure<double>("recall_standard_error");
  if (!recall || !error || (*recall == 1 && *error == 0)) return "exact";
  return fmt::format("recall {:.3f} ± {:.3f}", *recall, *error);
}

}  // namespace parsimony::cli
