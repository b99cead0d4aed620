#include "clustering/points.hpp"

#include <fmt/format.h>

#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

std::vector<std::string> add_point_flags(CLI::App& app, graph::NeighborOptions& neighbors,
                                         graph::NeighborGraphOptions& graph, std::string& array) {
  const Flags flags(app, "Points");
  std::vector<std::string> names;
  const auto add = [&](const Field& field, auto& value) {
    if (same_object(value, neighbors.seed)) return;
    flags(field, value);
    names.push_back("--" + kebab(field.name));
  };
  describe(neighbors, add);
  describe(graph, add);
  add_array_flag(app, array);
  names.emplace_back("--array");
  return names;
}

void add_array_flag(CLI::App& app, std::string& array) {
  graph::PointReadOptions described;
  describe(described, [&](const Field& field, auto&) { Flags(app, "Points")(field, array); });
}

void add_points_argument(CLI::App& app, std::string& path) {
  app.add_option("POINTS", path,
                 "points, one a row: .npy, .npz, or text such as CSV; plain, .gz or .zst; - for stdin")
      ->required()
      ->type_name("");
}

std::string search_text(const Report& report) {
  const double* recall = report.find_figure<double>("recall");
  const double* error = report.find_figure<double>("recall_standard_error");
  if (!recall || !error || (*recall == 1 && *error == 0)) return "exact";
  return fmt::format("recall {:.3f} ± {:.3f}", *recall, *error);
}

}  // namespace parsimony::cli
