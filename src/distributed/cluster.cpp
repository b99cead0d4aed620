#include "parsimony/distributed/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "cluster/components.hpp"
#include "cluster/method_table.hpp"
#include "cluster/methods/on_operator.hpp"
#include "cluster/methods/prepared.hpp"
#include "cluster/run.hpp"
#include "core/count_of.hpp"
#include "core/together.hpp"
#include "distributed/column_groups.hpp"
#include "distributed/components.hpp"
#include "distributed/operator.hpp"
#include "distributed/rows.hpp"
#include "graph/score_sums.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::distributed {
namespace {

using cluster::ClusterOptions;
using cluster::ClusterResult;
using cluster::ComponentSizes;
using cluster::CompressiveOptions;
using cluster::ConnectedNodes;
using cluster::FilteredOptions;

ConnectedNodes connected_nodes(const GraphRows& rows) {
  ConnectedNodes out{.marks = std::vector<float>(rows.own())};
  for (std::int64_t i = 0; i < rows.own(); ++i) out.marks[i] = rows.has_edges(i) ? 1.0f : 0.0f;
  out.count = rows.communicator.sum_of(std::ranges::count(out.marks, 1.0f));
  return out;
}

// The labels for which no method is needed, as cluster::begin_result() has them.
std::vector<std::int32_t> labels_without_search(const GraphRows& rows, const ComponentSizes& sizes,
                                                const ConnectedNodes& connected, std::int64_t clusters,
                                                bool components_suffice) {
  const Communicator& communicator = rows.communicator;
  if (components_suffice && sizes.components.count - sizes.components.isolated == clusters) {
    return cluster::components_as_clusters(sizes.components, clusters, connected.marks, communicator);
  }
  if (clusters == 1) return std::vector<std::int32_t>(rows.own(), 0);
  if (clusters >= connected.count) return cluster::single_nodes(connected.marks, clusters, communicator);
  return {};
}

// A method on an operator, by the type of its options.
void check_method(const CompressiveOptions& options) {
  cluster::check_compressive_options(options);
}
void check_method(const FilteredOptions& options) {
  cluster::check_filtered_options(options);
}
std::int64_t bytes_of(const GraphRows& rows, const CompressiveOptions& options, int threads) {
  return cluster::compressive_bytes(rows.own(), std::ssize(rows.ghosts), rows.all(), options, threads);
}
std::int64_t bytes_of(const GraphRows& rows, const FilteredOptions& options, int threads) {
  const bool collects = rows.communicator.count() > 1 && rows.communicator.rank() == 0;
  return cluster::filtered_bytes(rows.own(), std::ssize(rows.ghosts), rows.all(), options, threads, collects);
}
CompressiveOptions settled(const CompressiveOptions& options, const GraphRows& rows, std::int64_t connected,
                           double tau) {
  return cluster::settled_options(options, rows.all(), connected, tau, false);
}
FilteredOptions settled(const FilteredOptions& options, const GraphRows&, std::int64_t connected,
                        double tau) {
  return cluster::settled_options(options, connected, tau, false);
}
void run_on(const DistributedOperator& op, const ConnectedNodes& connected, const CompressiveOptions& options,
            ClusterResult& result, const Context& context) {
  const bool samples_given = true;  // their number follows from the error bound alone, which is refused
  run_compressive(op, connected, {}, options, samples_given, result, context);
}
void run_on(const DistributedOperator& op, const ConnectedNodes& connected, const FilteredOptions& options,
            ClusterResult& result, const Context& context) {
  run_filtered(op, connected, {}, options, result, context);
}

constexpr double kGainThatPays = 1.1;  // by more groups than 1, which need more memory

// The groups that the options ask for, or the best by the model; nullptr for 1.
template <class Options>
std::unique_ptr<ColumnGroups> make_groups(const GraphRows& rows, const Options& settled,
                                          const MachineOptions& machines, std::int64_t bytes, double tau,
                                          Report& report, const Context& context) {
  const Communicator& communicator = rows.communicator;
  const std::vector<GroupedCost> costs =
      costs_of_groups(rows, {.density_order = settled.lambda_k > 0 ? 0 : spectral::DensityOptions{}.order,
                             .filter_order = settled.order,
                             .features = settled.features});
  const std::int64_t memory = memory_for_groups(communicator, context);
  GroupedCost chosen = costs.front();
  for (const GroupedCost& cost : costs) {
    const bool pays = machines.column_groups == 0 && cost.seconds < chosen.seconds &&
                      cost.seconds * kGainThatPays <= costs.front().seconds;
    if (cost.groups == machines.column_groups || (pays && !communicator.any(bytes + cost.bytes > memory))) {
      chosen = cost;
    }
  }
  if (machines.column_groups > 0 && chosen.groups != machines.column_groups) {
    refuse(fmt::format("column_groups: {} {} not fit {}, {} at least in each group",
                       count_of(machines.column_groups, "group"),
                       noun_of(machines.column_groups, "does", "do"), count_of(settled.features, "feature"),
                       spectral::kPanelWidth));
  }
  report.figures.emplace_back("column_groups", std::int64_t{chosen.groups});
  report.figures.emplace_back("predicted_gain", costs.front().seconds / chosen.seconds);
  if (chosen.groups == 1) return nullptr;
  if (communicator.rank() == 0) {
    context.log(LogLevel::info,
                fmt::format("{}: a model predicts {:.2f} times the speed of one",
                            count_of(chosen.groups, "column group"), costs.front().seconds / chosen.seconds));
  }
  together(communicator, [&] {
    context.require_memory(bytes + chosen.bytes, "clustering", "fewer column groups need less");
  });
  const StageTimer timer(report, "column groups");
  return std::make_unique<ColumnGroups>(rows, chosen.groups, settled.laplacian, tau, context);
}

template <class Options>
ClusterResult cluster_by(const char* algorithm, const GraphRows& rows, const ClusterOptions& options,
                         const MachineOptions& machines, const Context& context) {
  const Communicator& communicator = rows.communicator;
  const auto requested = cluster::options_of<Options>(options);
  validate_fields(requested);
  check_method(requested);
  cluster::check_clusters(requested.clusters, rows.all());
  const std::int64_t bytes = bytes_of(rows, requested, context.threads());
  together(communicator, [&] {
    context.require_memory(bytes, "clustering", "more processes or fewer features need less");
  });
  const ConnectedNodes connected = connected_nodes(rows);
  const double tau = requested.regularization >= 0 ? requested.regularization
                     : requested.laplacian == graph::LaplacianKind::combinatorial
                         ? 0
                         : automatic_regularization(rows);
  const Options chosen = settled(requested, rows, connected.count, tau);
  ClusterResult result{.clusters = chosen.clusters, .report = make_report(algorithm, context, chosen.seed)};
  record_options(result.report, chosen);
  result.report.figures.emplace_back("memory_estimate", communicator.most_of(bytes));
  {
    const StageTimer timer(result.report, "components");
    const ComponentSizes sizes = component_sizes(rows);
    result.report.figures.emplace_back("components", sizes.components.count);
    result.report.figures.emplace_back("isolated_nodes", sizes.components.isolated);
    result.labels = labels_without_search(rows, sizes, connected, chosen.clusters, tau == 0);
  }
  if (communicator.any(!result.labels.empty())) return result;
  const LaplacianRows laplacian(rows, chosen.laplacian, tau);
  const auto groups = make_groups(rows, chosen, machines, bytes, tau, result.report, context);
  const DistributedOperator op(laplacian, context, 0, groups.get());
  run_on(op, connected, chosen, result, context);
  std::int64_t received = op.bytes_received();
  if (groups) {
    received += groups->bytes_received();
    result.report.figures.emplace_back("ghosts_in_groups", communicator.sum_of(groups->ghosts()));
  }
  result.report.figures.emplace_back("bytes_received", communicator.sum_of(received));
  return result;
}

ClusterResult cluster_rows(const GraphRows& rows, const ClusterOptions& options,
                           const MachineOptions& machines, const Context& context) {
  return options.method == cluster::Method::filtered
             ? cluster_by<FilteredOptions>("filtered spectral clustering", rows, options, machines, context)
             : cluster_by<CompressiveOptions>("compressive spectral clustering", rows, options, machines,
                                              context);
}

// The rows of the marked nodes, clustered as a graph of their own.
ClusterResult cluster_part(const GraphRows& rows, std::span<const float> marks, const ClusterOptions& options,
                           const MachineOptions& machines, const Context& context) {
  const Communicator& communicator = rows.communicator;
  const GraphRows part = marked_rows(rows, marks);
  ClusterResult result = cluster_rows(part, options, machines, context);
  // Back to the processes of the nodes: their marked nodes follow each other, as the labels do.
  const std::int64_t own = std::ranges::count(marks, 1.0f), begin = communicator.before(own);
  const std::vector<std::int64_t> counts = communicator.gather(std::span<const std::int64_t>(&own, 1));
  std::vector<std::vector<std::int32_t>> send(communicator.count());
  std::int64_t from = 0;
  for (int p = 0; p < communicator.count(); ++p) {
    const std::int64_t to = from + counts[p];
    for (std::int64_t i = std::max(from, part.partition.begin()); i < std::min(to, part.partition.end());
         ++i) {
      send[p].push_back(result.labels[i - part.partition.begin()]);
    }
    from = to;
  }
  result.labels.clear();
  for (const auto& labels : communicator.exchange(std::move(send))) {
    result.labels.insert(result.labels.end(), labels.begin(), labels.end());
  }
  if (std::ssize(result.labels) != own || begin < 0) throw Error(ErrorCode::internal, "labels were lost");
  return result;
}

graph::PartitionScores scores_of(const GraphRows& rows, std::span<const std::int32_t> labels,
                                 std::int64_t clusters) {
  const Communicator& communicator = rows.communicator;
  std::vector<std::int32_t> label(rows.local());
  std::copy(labels.begin(), labels.end(), label.begin());
  rows.halo->copy(label.data());
  graph::PartitionScores out;
  out.volume.resize(clusters);
  out.cut.resize(clusters);
  out.sizes.resize(clusters);
  double total = 0;
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    double degree = 0, leaving = 0;
    for (std::int64_t e = rows.offsets[i]; e < rows.offsets[i + 1]; ++e) {
      const double weight = rows.weighted ? rows.values[e] : 1.0;
      degree += weight;
      if (label[rows.columns[e]] != label[i]) leaving += weight;
    }
    out.volume[label[i]] += degree;
    out.cut[label[i]] += leaving;
    ++out.sizes[label[i]];
    total += degree;
  }
  communicator.sum(std::span(out.volume));
  communicator.sum(std::span(out.cut));
  communicator.sum(std::span(out.sizes));
  communicator.sum(std::span<double>(&total, 1));
  finish_scores(out, total);
  return out;
}

}  // namespace

void check_options(const ClusterOptions& options, const MachineOptions& machines,
                   const Processes& processes) {
  cluster::check_cluster_options(options);
  validate_fields(machines);
  if (machines.column_groups > 0 && processes.count() % machines.column_groups != 0) {
    refuse(fmt::format("column_groups: {} of equal size cannot be made of {}",
                       count_of(machines.column_groups, "group"),
                       count_of(processes.count(), "process", "processes")));
  }
  if (options.method != cluster::Method::compressive && options.method != cluster::Method::filtered) {
    refuse(fmt::format(
        "method: {} needs the graph on one machine; use option method compressive or filtered, or one "
        "process",
        enum_name(options.method)));
  }
  const char* needs = options.clusters == 0                                     ? "clusters: auto"
                      : options.error > 0                                       ? "error: an error bound"
                      : options.refine != cluster::Refinement::none             ? "refine: refinement"
                      : !options.warm_start.empty()                             ? "warm_start: a warm start"
                      : options.lambda_method != cluster::LambdaMethod::moments ? "lambda_method: bisection"
                      : options.assign != cluster::Assignment::nearest ? "assign: any assignment but nearest"
                                                                       : nullptr;
  if (needs != nullptr) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} needs the graph on one machine; use one process", needs));
  }
}

cluster::Clustering cluster(const Graph& graph, const ClusterOptions& options, const MachineOptions& machines,
                            const Context& context) {
  const GraphRows& rows = *graph.rows;
  check_options(options, machines, rows.communicator);
  Report before;
  cluster::Clustering out;
  StageTimer timer(before, "connected components");
  const ComponentSizes sizes =
      options.components == cluster::ComponentRule::automatic ? component_sizes(rows) : ComponentSizes{};
  timer.finish();
  if (sizes.components.count > 1) {
    const auto run = [&](std::span<const float> marks, const ClusterOptions& part,
                         const cluster::MethodInputs&) {
      return cluster_part(rows, marks, part, machines, context);
    };
    static_cast<ClusterResult&>(out) =
        cluster_by_components(sizes, degrees(rows), options, {}, run, rows.communicator, context);
  } else {
    static_cast<ClusterResult&>(out) = cluster_rows(rows, options, machines, context);
    if (rows.communicator.rank() == 0) note_components(out, context);
  }
  out.report.options.emplace_back("components", std::string(enum_name(options.components)));
  record_options(out.report, machines);
  out.report.figures.emplace_back("processes", std::int64_t{rows.communicator.count()});
  out.report.figures.emplace_back("ghosts", graph.ghosts);
  add_before(out.report, before);
  const StageTimer scoring(out.report, "score");
  out.scores = scores_of(rows, out.labels, out.clusters);
  return out;
}

}  // namespace parsimony::distributed
