#include "parsimony/cluster/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/components.hpp"
#include "cluster/method_table.hpp"
#include "cluster/methods/placement.hpp"
#include "cluster/run.hpp"
#include "core/count_of.hpp"
#include "parsimony/cluster/picture.hpp"
#include "parsimony/cluster/points.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kChosen = 0;                                   // options.clusters: k is to be chosen
constexpr const char* kChoosing = "choosing the number of clusters";  // in messages about memory

NumberOfClustersOptions choice_options(const ClusterOptions& options) {
  NumberOfClustersOptions out{.min_clusters = options.min_clusters,
                              .max_clusters = options.max_clusters,
                              .laplacian = options.laplacian,
                              .regularization = options.regularization,
                              .seed = options.seed};
  if (options.order > 0) out.order = options.order;
  return out;
}

// Settles the number of clusters for the components that count in it.
ClusterChoice choose(ClusterOptions& options, CsrView adjacency, const ComponentSizes* sizes,
                     KnownSpectrum& known, Report& report, const Context& context) {
  const StageTimer timer(report, "number of clusters");
  Csr part;
  CsrView looked_at = adjacency;
  if (sizes != nullptr) {
    context.require_memory(part_bytes(adjacency), kChoosing);
    known.marks = marks_of_large(*sizes);
    if (std::ranges::count(known.marks, 1.0f) < adjacency.rows() - sizes->components.isolated) {
      part = marked_part(adjacency, known.marks);
      looked_at = part;
      looked_at.checked = true;  // whole components of a checked graph
    }
  }
  context.require_memory(estimate_memory(looked_at, choice_options(options), context), kChoosing);
  ClusterChoice choice = choose_number_of_clusters(looked_at, choice_options(options), context);
  options.clusters = choice.clusters;
  if (sizes != nullptr) {
    options.clusters = with_other_components(*sizes, choice.clusters);
    if (options.max_clusters > 0) options.clusters = std::min(options.clusters, options.max_clusters);
  }
  known.clusters = choice.clusters;
  // With an error bound, the method settles λ_k itself.
  if (options.error == 0 && options.lambda_method == LambdaMethod::moments && options.lambda_k == 0) {
    known.lambda_k = choice.lambda_k;
  }
  std::vector<double> clusters, gap, stability, error;
  for (const ClusterCandidate& candidate : choice.candidates) {
    clusters.push_back(static_cast<double>(candidate.clusters));
    gap.push_back(candidate.gap);
    stability.push_back(candidate.stability);
    error.push_back(candidate.standard_error);
  }
  report.figures.emplace_back("choice_clusters", std::move(clusters));
  report.figures.emplace_back("choice_stability", std::move(stability));
  report.figures.emplace_back("choice_standard_error", std::move(error));
  report.figures.emplace_back("choice_gap", std::move(gap));
  return choice;
}

// The density that the choice of k has computed; nullptr: none.
const spectral::SpectralDensity* density_of(const std::optional<ClusterChoice>& choice) {
  return choice && choice->density ? &*choice->density : nullptr;
}

// The names of the methods with an option, for messages.
std::string methods_with(std::string_view field) {
  std::string names;
  for (const MethodRow& row : method_table()) {
    if (!has_option(row.method, field)) continue;
    names += (names.empty() ? "" : ", ") + std::string(enum_name(row.method));
  }
  return names;
}

}  // namespace

void check_given(const ClusterOptions& options, const std::function<bool(std::string_view field)>& given) {
  const auto check_method = [&](std::string_view field) {
    if (!given(field) || has_option(options.method, field)) return;
    refuse(fmt::format("{}: has no effect with option method {}; it belongs to {}", field,
                       enum_name(options.method), methods_with(field)));
  };
  describe(options, [&](const Field& field, const auto&) { check_method(field.name); });
  check_method("warm_start");
  const bool chosen = options.clusters == kChosen;
  for (const std::string_view field : {"min_clusters", "max_clusters"}) {
    if (given(field) && !chosen) {
      refuse(fmt::format("{}: has an effect only with option clusters auto", field));
    }
  }
  if (chosen && options.max_clusters != 0 && options.min_clusters > options.max_clusters) {
    refuse(fmt::format("min_clusters: {} is more than option max_clusters, which is {}", options.min_clusters,
                       options.max_clusters));
  }
  if (chosen && given("warm_start")) {
    refuse("warm_start: the number of clusters must be that of the earlier run, not auto");
  }
}

void check_cluster_options(const ClusterOptions& options) {
  validate_fields(options);
  const ClusterOptions defaults;
  std::vector<std::pair<std::string, ReportValue>> values, standard;
  describe(options, Record{values});
  describe(defaults, Record{standard});
  check_given(options, [&](std::string_view name) {
    if (name == "warm_start") return !options.warm_start.empty();
    const auto at = std::ranges::find(values, name, &std::pair<std::string, ReportValue>::first);
    return *at != standard[at - values.begin()];
  });
}

Clustering run_clustering(CsrView adjacency, ClusterOptions options, bool points, const Context& context) {
  Report before;
  std::optional<ComponentSizes> sizes;
  if (options.components == ComponentRule::automatic) {
    const StageTimer timer(before, "connected components");
    sizes = component_sizes(adjacency);
    if (sizes->components.count <= 1) sizes.reset();
  }
  Clustering out;
  KnownSpectrum known;
  if (options.clusters == kChosen) {
    out.choice = choose(options, adjacency, sizes ? &*sizes : nullptr, known, before, context);
    known.density = density_of(out.choice);
    if (points && options.samples == 0 && options.error == 0) {
      options.samples = options_for_points(options.clusters).samples;
    }
  }
  if (sizes) {
    context.require_memory(part_bytes(adjacency), "clustering");  // the method asks for its own
    static_cast<ClusterResult&>(out) = cluster_by_components(adjacency, *sizes, options, known, context);
  } else {
    if (known.lambda_k > 0) options.lambda_k = known.lambda_k;
    static_cast<ClusterResult&>(out) =
        row_of(options.method).run(adjacency, options, {options.warm_start, known.density}, context);
    note_components(out, context);
  }
  out.report.options.emplace_back("components", std::string(enum_name(options.components)));
  if (out.choice && out.lambda_k == out.choice->lambda_k) out.density = out.choice->density;
  add_before(out.report, before);
  const StageTimer scoring(out.report, "score");
  out.scores = graph::score_partition(adjacency, out.labels, context);
  return out;
}

Clustering cluster(CsrView adjacency, const ClusterOptions& options, const Context& context) {
  check_cluster_options(options);
  return run_clustering(graph::check_graph(adjacency, context), options, false, context);
}

std::vector<std::int32_t> read_warm_start(const std::filesystem::path& path, const graph::NodeIds& ids,
                                          const ClusterOptions& options, const Context& context) {
  const auto refuse_labels = [&](const std::string& message) {
    refuse(fmt::format("warm_start: {}: {}", path.string(), message));
  };
  const std::int64_t nodes = ids.size(), clusters = options.clusters;
  graph::Labels earlier = graph::read_labels(path, context);
  if (std::ssize(earlier.names) != clusters) {
    refuse_labels(fmt::format("has {}; option clusters must be as many, not {}",
                              count_of(earlier.names.size(), "cluster"), clusters));
  }
  if (earlier.by_position && earlier.ids.size() != nodes) {
    refuse_labels(fmt::format("has {} without ids for {}; must be lines of node-id<TAB>cluster",
                              count_of(earlier.ids.size(), "entry", "entries"), count_of(nodes, "node")));
  }
  std::vector<std::int32_t> labels = std::move(earlier.clusters);
  if (!earlier.by_position) {
    const std::vector<std::int32_t> listed = std::exchange(labels, std::vector<std::int32_t>(nodes, -1));
    for (std::int64_t node = 0; node < nodes; ++node) {
      const std::int64_t at = earlier.ids.find(ids.name(node));
      if (at >= 0) labels[node] = listed[at];
    }
  }
  std::vector<bool> kept(static_cast<std::size_t>(clusters));
  for (const std::int32_t label : labels) {
    if (label >= 0) kept[label] = true;
  }
  for (std::int64_t c = 0; c < clusters; ++c) {
    if (!kept[c]) refuse_labels(fmt::format("no node of its cluster {} is in the graph", earlier.names[c]));
  }
  return labels;
}

std::string cluster_picture(CsrView adjacency, const Clustering& clustering, const Context& context) {
  PictureDetails details{.lambda_k = clustering.lambda_k,
                         .density = clustering.density ? &*clustering.density : nullptr};
  std::vector<std::int64_t> clusters;
  std::vector<double> stability, error;
  if (const auto& choice = clustering.choice) {
    if (!details.density) details.density = density_of(choice);
    if (details.lambda_k == 0) details.lambda_k = choice->lambda_k;
    for (const ClusterCandidate& candidate : choice->candidates) {
      clusters.push_back(candidate.clusters);
      stability.push_back(candidate.stability);
      error.push_back(candidate.standard_error);
    }
    details.stability = {clusters, stability, error, choice->clusters};
  }
  return cluster_picture(adjacency, clustering.labels, clustering.scores, details, context);
}

}  // namespace parsimony::cluster
