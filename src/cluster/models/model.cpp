#include "parsimony/cluster/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cluster/models/model_format.hpp"
#include "core/count_of.hpp"
#include "core/files/npz.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/graph/points.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kVersion = 2;           // with a shift
constexpr std::int64_t kUnshiftedVersion = 1;  // without one, as the first release wrote it
constexpr std::int64_t kPointsPerBlock = 1 << 12;
constexpr std::int64_t kMostClustersOfModel = std::numeric_limits<std::int32_t>::max();

// The fault of the model; empty if it is sound.
std::string fault_of(const PointModel& model) {
  const std::int64_t n = model.points.rows();
  if (n < 1 || model.points.cols() < 1 || n > std::numeric_limits<std::int32_t>::max()) {
    return fmt::format("points: an array of {} × {}; must hold 1 to 2147483647 points", n,
                       model.points.cols());
  }
  if (static_cast<std::int64_t>(model.labels.size()) != n) {
    return fmt::format("labels: {} for {}", count_of(model.labels.size(), "value"), count_of(n, "point"));
  }
  if (model.clusters < 1 || model.clusters > kMostClustersOfModel) {
    return fmt::format("clusters: {}; must be 1 to {}", model.clusters, kMostClustersOfModel);
  }
  if (model.neighbors < 1 || model.neighbors > 1024 || model.neighbors > n) {
    return fmt::format("neighbors: {}; must be 1 to {}", model.neighbors, std::min<std::int64_t>(n, 1024));
  }
  const auto bad = std::find_if(model.labels.begin(), model.labels.end(),
                                [&](std::int32_t label) { return label < 0 || label >= model.clusters; });
  if (bad != model.labels.end()) {
    return fmt::format("labels: item {} is {}; must be 0 to {}", bad - model.labels.begin(), *bad,
                       model.clusters - 1);
  }
  if (!model.shift.empty() && static_cast<std::int64_t>(model.shift.size()) != model.points.cols()) {
    return fmt::format("shift: {} for rows of {}", count_of(model.shift.size(), "value"),
                       model.points.cols());
  }
  const auto not_finite = std::find_if(model.shift.begin(), model.shift.end(),
                                       [](double value) { return !std::isfinite(value); });
  if (not_finite != model.shift.end()) {
    return fmt::format("shift: item {} is {}; must be finite", not_finite - model.shift.begin(), *not_finite);
  }
  return "";
}

// The cluster that the neighbours of one point choose, the nearest first.
std::int32_t vote(std::span<const std::int32_t> neighbors, std::span<const float> distances,
                  std::span<const std::int32_t> labels, std::vector<std::pair<std::int32_t, double>>& sums) {
  sums.clear();
  const bool copies = distances.front() == 0;
  for (std::size_t r = 0; r < neighbors.size() && (!copies || distances[r] == 0); ++r) {
    const std::int32_t label = labels[neighbors[r]];
    // Relative to the nearest distance, so that no distance is too small.
    const double weight = copies ? 1 : static_cast<double>(distances.front()) / distances[r];
    const auto found =
        std::find_if(sums.begin(), sums.end(), [&](const auto& sum) { return sum.first == label; });
    if (found == sums.end()) {
      sums.emplace_back(label, weight);
    } else {
      found->second += weight;
    }
  }
  const auto most = std::max_element(sums.begin(), sums.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first;  // the first of equal ones, and they stand in the order of their nearest points
}

}  // namespace

PointModel parse_model(std::string bytes, const std::string& name, std::int64_t max_bytes) {
  NpzArchive archive(std::move(bytes), name, max_bytes, "is it a model by parsimony cluster --save-model?");
  const std::int64_t version = archive.integer("version");
  if (version != kUnshiftedVersion && version != kVersion) {
    archive.fail(fmt::format("a model of version {}; this library reads versions {} and {}", version,
                             kUnshiftedVersion, kVersion),
                 ErrorCode::unsupported);
  }
  PointModel model;
  const std::string metric = npy_text(archive.array("metric"));
  constexpr auto metrics = names_of(graph::Metric{});
  const auto known =
      std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.second == metric; });
  if (known == metrics.end()) archive.fail("metric: this library does not know it", ErrorCode::unsupported);
  model.metric = known->first;
  model.clusters = archive.integer("clusters");
  model.neighbors = archive.integer("neighbors");
  const std::vector<std::int64_t> labels = archive.integers("labels");
  model.labels.reserve(labels.size());
  for (const std::int64_t label : labels) {
    // A number that int32 cannot hold cannot be a label; −1 is refused below.
    model.labels.push_back(label < 0 || label > kMostClustersOfModel ? -1 : static_cast<std::int32_t>(label));
  }
  model.points = archive.matrix("points");
  if (version == kVersion) model.shift = archive.doubles("shift");
  const std::string fault = fault_of(model);
  if (!fault.empty()) archive.fail(fault);
  return model;
}

PointModel load_model(const std::filesystem::path& path, std::int64_t max_bytes) {
  return parse_model(read_file(path, max_bytes), path.string(), max_bytes);
}

void save_model(const OutputPath& path, const PointModel& model) {
  const std::string fault = fault_of(model);
  if (!fault.empty()) refuse(fault);
  const std::int64_t n = model.points.rows();
  const std::string_view metric = enum_name(model.metric);
  AtomicFile file(path);
  ZipWriter writer([&](std::string_view bytes) { file.write(bytes); });
  const auto add = [&](std::string_view name, std::string_view descr,
                       std::initializer_list<std::int64_t> shape, const void* data, std::size_t size) {
    add_npz_member(writer, name, descr, shape, {static_cast<const char*>(data), size});
  };
  const auto add_number = [&](std::string_view name, std::int64_t value) {
    add(name, "<i8", {}, &value, sizeof value);
  };
  add_number("version", model.shift.empty() ? kUnshiftedVersion : kVersion);
  add_number("clusters", model.clusters);
  add_number("neighbors", model.neighbors);
  add("metric", fmt::format("|S{}", metric.size()), {}, metric.data(), metric.size());
  add("labels", "<i4", {n}, model.labels.data(), 4 * model.labels.size());
  add("points", "<f4", {n, model.points.cols()}, model.points.data(),
      4 * static_cast<std::size_t>(model.points.size()));
  if (!model.shift.empty()) {
    add("shift", "<f8", {model.points.cols()}, model.shift.data(), sizeof(double) * model.shift.size());
  }
  writer.finish();
  file.commit();
}

void check_model_labels(const PointModel& model, const std::string& model_name, const graph::Labels& labels) {
  const auto fail = [&](const std::string& difference) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: {}; the labels and the model {} are of different runs. Cluster once more, with "
                    "both files as outputs of one run",
                    labels.file, difference, model_name));
  };
  if (labels.clusters.size() != model.labels.size()) {
    fail(fmt::format("{} for the {} of the model", count_of(labels.clusters.size(), "label"),
                     count_of(model.labels.size(), "point")));
  }
  for (std::size_t row = 0; row < model.labels.size(); ++row) {
    const std::int64_t at =
        labels.by_position ? static_cast<std::int64_t>(row) : labels.ids.find(std::to_string(row));
    if (at < 0) fail(fmt::format("row {} has no label", row));
    const std::string& name = labels.names[labels.clusters[at]];
    if (name != std::to_string(model.labels[row])) {
      fail(fmt::format("row {} is in cluster {}, but in cluster {} of the model", row, name,
                       model.labels[row]));
    }
  }
}

void check_model_labels(const std::filesystem::path& model, const graph::Labels& labels,
                        std::int64_t max_bytes) {
  check_model_labels(load_model(model, max_bytes), model.string(), labels);
}

std::int64_t estimate_saving_memory(std::int64_t rows, std::int64_t cols) {
  // The points, deflated, are hardly larger than they are.
  return 4 * rows * std::max<std::int64_t>(cols, 1) + (std::int64_t{1} << 20);
}

namespace {

void check_assignment(const PointModel& model, std::int64_t columns, const AssignOptions& options) {
  validate_fields(options);
  const std::string fault = fault_of(model);
  if (!fault.empty()) refuse("model: " + fault);
  if (columns != model.points.cols()) {
    refuse(fmt::format("rows of {}, but those of the model have {}; must be as many",
                       count_of(columns, "value"), model.points.cols()));
  }
}

// Points as those of the model: less the shift.
ClusterResult assign_shifted(const PointModel& model, MatrixView<const float> points,
                             const AssignOptions& options, const Context& context) {
  const graph::NeighborOptions neighbors{.neighbors = model.neighbors,
                                         .metric = model.metric,
                                         .search = options.search,
                                         .recall = options.recall,
                                         .seed = options.seed};
  context.require_memory(graph::estimate_memory(points.rows + model.points.rows(), points.cols, neighbors),
                         "the search for the nearest points");
  graph::Neighbors found = graph::nearest_neighbors_of(points, model.points, neighbors, context);
  ClusterResult result{.labels = std::vector<std::int32_t>(points.rows),
                       .clusters = model.clusters,
                       .report = std::move(found.report)};
  result.report.algorithm = "assignment by nearest neighbors";
  const StageTimer timer(result.report, "vote");
  context.for_blocks(points.rows, kPointsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, double>> sums;
    for (std::int64_t i = begin; i < end; ++i) {
      result.labels[i] = vote(found.indices.row(i), found.distances.row(i), model.labels, sums);
    }
  });
  return result;
}

}  // namespace

ClusterResult assign(const PointModel& model, MatrixView<const float> points, const AssignOptions& options,
                     const Context& context) {
  check_assignment(model, points.cols, options);
  if (model.shift.empty()) return assign_shifted(model, points, options, context);
  return assign_shifted(model, graph::less_shift(points, model.shift, context), options, context);
}

ClusterResult assign(const PointModel& model, MatrixView<const double> points, const AssignOptions& options,
                     const Context& context) {
  check_assignment(model, points.cols, options);
  return assign_shifted(model, graph::less_shift(points, model.shift, context), options, context);
}

}  // namespace parsimony::cluster
