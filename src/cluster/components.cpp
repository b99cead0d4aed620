// Implements parsimony/cluster/components.hpp and cluster/components.hpp.
#include "cluster/components.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <queue>
#include <string>
#include <utility>

#include "cluster/methods/earlier_labels.hpp"
#include "cluster/methods/placement.hpp"
#include "cluster/methods/prepared.hpp"
#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::cluster {
namespace {

constexpr double kFirst = 5;  // times its volume counts a component that has no cluster yet
constexpr std::int64_t kNodesPerCluster = 5;

// The components with edges.
std::vector<std::int32_t> with_edges(const ComponentSizes& sizes) {
  std::vector<std::int32_t> out;
  for (std::size_t c = 0; c < sizes.nodes.size(); ++c) {
    if (sizes.volume[c] > 0) out.push_back(static_cast<std::int32_t>(c));
  }
  return out;
}

std::int64_t nodes_of(const ComponentSizes& sizes) {
  return std::accumulate(sizes.nodes.begin(), sizes.nodes.end(), std::int64_t{0});
}

// The least volume of a component that the choice of k looks at.
double volume_of_large(const ComponentSizes& sizes) {
  return *std::max_element(sizes.volume.begin(), sizes.volume.end()) / (2 * kFirst);
}

// The larger ones first; of equal ones, the first.
void sort_by_volume(std::vector<std::int32_t>& components, const ComponentSizes& sizes) {
  std::stable_sort(components.begin(), components.end(),
                   [&](auto a, auto b) { return sizes.volume[a] > sizes.volume[b]; });
}

// Hands out up to `left` clusters to these components, within most(component); returns those left.
template <class Most>
std::int64_t hand_out(const ComponentSizes& sizes, std::span<const std::int32_t> components, Most most,
                      std::vector<std::int64_t>& clusters, std::int64_t left) {
  using Bid = std::pair<double, std::int32_t>;  // price, −component
  std::priority_queue<Bid> bids;
  const auto bid = [&](std::int32_t c) {
    if (clusters[c] >= most(c)) return;
    const double share = sizes.volume[c] / static_cast<double>(clusters[c] + 1);
    bids.emplace(clusters[c] == 0 ? kFirst * share : share, -c);
  };
  for (const std::int32_t c : components) bid(c);
  for (; left > 0 && !bids.empty(); --left) {
    const std::int32_t c = -bids.top().second;
    bids.pop();
    ++clusters[c];
    bid(c);
  }
  return left;
}

// The labels of a warm start on the marked nodes, renumbered to `clusters` of them: those with the most
// nodes, in ascending order. Empty if there are fewer, which is said.
std::vector<std::int32_t> labels_of_part(std::span<const std::int32_t> labels, std::span<const float> marks,
                                         std::int64_t all, std::int64_t clusters, const Context& context) {
  if (labels.empty()) return {};
  std::vector<std::int64_t> count(all);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (marks[i] > 0 && labels[i] >= 0) ++count[labels[i]];
  }
  std::vector<std::int32_t> kept(all);
  std::iota(kept.begin(), kept.end(), 0);
  std::erase_if(kept, [&](std::int32_t c) { return count[c] == 0; });
  if (std::ssize(kept) < clusters) {
    context.log(LogLevel::warning, fmt::format("warm start: the components that are divided into {} have {} "
                                               "of the earlier ones; they begin anew",
                                               count_of(clusters, "cluster"), kept.size()));
    return {};
  }
  std::stable_sort(kept.begin(), kept.end(), [&](auto a, auto b) { return count[a] > count[b]; });
  kept.resize(clusters);
  std::sort(kept.begin(), kept.end());
  std::vector<std::int32_t> number(all, -1), out;
  for (std::size_t n = 0; n < kept.size(); ++n) number[kept[n]] = static_cast<std::int32_t>(n);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (marks[i] > 0) out.push_back(labels[i] < 0 ? -1 : number[labels[i]]);
  }
  return out;
}

// Components by the number of their clusters.
struct Roles {
  std::int64_t divided = 0, into = 0;  // components, and their clusters
  std::int64_t whole = 0;              // a cluster each
  std::int64_t joining = 0, nodes_joining = 0;

  Roles(const ComponentSizes& sizes, const Apportionment& shares) {
    for (const std::int32_t c : with_edges(sizes)) {
      const std::int64_t own = shares.clusters[c];
      divided += own > 1;
      into += own > 1 ? own : 0;
      whole += own == 1;
      joining += own == 0;
      nodes_joining += own == 0 ? sizes.nodes[c] : 0;
    }
  }
};

std::string counted(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

void say(const ComponentSizes& sizes, const Roles& roles, const Apportionment& shares,
         const Context& context) {
  const std::int64_t isolated = sizes.components.isolated, own = shares.clusters_of_isolated;
  if (roles.divided == 0 && roles.joining == 0 && own == isolated) return;
  std::vector<std::string> parts;
  if (roles.divided > 0) {
    parts.push_back(fmt::format("{} divided into {}", roles.divided, count_of(roles.into, "cluster")));
  }
  if (roles.whole > 0) {
    parts.push_back(fmt::format("{} kept as {}", roles.whole, roles.whole == 1 ? "a cluster" : "one each"));
  }
  if (roles.joining > 0) {
    parts.push_back(fmt::format("{} ({}) put into the clusters of least volume",
                                counted(roles.joining, "small one", "small ones"),
                                counted(roles.nodes_joining, "node", "nodes")));
  }
  if (isolated > 0) {
    parts.push_back(counted(isolated, "node without edges", "nodes without edges") +
                    (own == isolated ? (own == 1 ? " kept as a cluster" : " kept as one each")
                     : own > 0 ? fmt::format(" put into {} of their own", counted(own, "cluster", "clusters"))
                               : " put into the cluster of fewest nodes"));
  }
  context.log(LogLevel::warning,
              fmt::format("the graph has {}: {}; see option components",
                          count_of(sizes.components.count, "connected component"), fmt::join(parts, ", ")));
}

// Nodes without edges in the processes before this one.
std::int64_t isolated_before(const ComponentSizes& sizes, const Processes& processes) {
  std::int64_t isolated = 0;
  for (const std::int32_t component : sizes.components.label) isolated += sizes.volume[component] == 0;
  const std::vector<std::int64_t> all = processes.gather(std::span<const std::int64_t>(&isolated, 1));
  return std::accumulate(all.begin(), all.begin() + processes.rank(), std::int64_t{0});
}

// Adds the clusters of the components that are not divided, and then the others, to labels that have −1 for
// them.
void place_components(std::vector<std::int32_t>& labels, std::span<const double> degree,
                      const ComponentSizes& sizes, const Apportionment& shares, std::int64_t divided_into,
                      std::int64_t clusters, const Processes& processes) {
  const std::vector<std::int32_t>& component = sizes.components.label;
  const auto nodes = static_cast<std::int64_t>(labels.size());
  std::vector<double> volume(clusters);
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (labels[i] >= 0) volume[labels[i]] += degree[i];
  }
  processes.sum(std::span(volume));
  std::vector<std::int32_t> cluster_of(sizes.nodes.size(), -1), joining;
  auto next = static_cast<std::int32_t>(divided_into);
  for (const std::int32_t c : with_edges(sizes)) {
    if (shares.clusters[c] == 0) joining.push_back(c);
    if (shares.clusters[c] != 1) continue;
    volume[next] = sizes.volume[c];
    cluster_of[c] = next++;
  }
  if (!joining.empty()) {
    sort_by_volume(joining, sizes);
    using Smallest = std::pair<double, std::int32_t>;
    std::priority_queue<Smallest, std::vector<Smallest>, std::greater<>> smallest;
    for (std::int32_t r = 0; r < next; ++r) smallest.emplace(volume[r], r);
    for (const std::int32_t c : joining) {
      const auto [least, cluster] = smallest.top();
      smallest.pop();
      cluster_of[c] = cluster;
      smallest.emplace(least + sizes.volume[c], cluster);
    }
  }
  std::vector<std::int64_t> count(clusters);
  const std::int64_t own = shares.clusters_of_isolated, isolated = sizes.components.isolated;
  std::int64_t met = own > 0 ? isolated_before(sizes, processes) : 0;
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (labels[i] < 0) labels[i] = cluster_of[component[i]];
    if (labels[i] < 0 && own > 0) {  // equal shares, in the order of the nodes
      labels[i] = static_cast<std::int32_t>(next + met++ * own / isolated);
    }
    if (labels[i] >= 0) ++count[labels[i]];
  }
  processes.sum(std::span(count));
  const auto fewest = static_cast<std::int32_t>(std::min_element(count.begin(), count.end()) - count.begin());
  std::replace(labels.begin(), labels.end(), -1, fewest);
}

}  // namespace

ComponentSizes component_sizes(CsrView adjacency) {
  ComponentSizes out{.components = graph::connected_components(adjacency)};
  out.volume.resize(out.components.count);
  out.nodes.resize(out.components.count);
  const std::vector<double> degree = graph::degrees(adjacency);
  for (std::size_t i = 0; i < degree.size(); ++i) {
    out.volume[out.components.label[i]] += degree[i];
    ++out.nodes[out.components.label[i]];
  }
  return out;
}

Apportionment apportion_clusters(const ComponentSizes& sizes, std::int64_t clusters) {
  check_clusters(clusters, nodes_of(sizes));
  if (clusters < 1) refuse(fmt::format("clusters: {} must be at least 1", clusters));
  Apportionment out{.clusters = std::vector<std::int64_t>(sizes.nodes.size())};
  const std::vector<std::int32_t> components = with_edges(sizes);
  std::int64_t left = hand_out(
      sizes, components,
      [&](std::int32_t c) { return std::max<std::int64_t>(1, sizes.nodes[c] / kNodesPerCluster); },
      out.clusters, clusters);
  out.clusters_of_isolated = std::min(left, sizes.components.isolated);
  left -= out.clusters_of_isolated;
  hand_out(
      sizes, components, [&](std::int32_t c) { return sizes.nodes[c]; }, out.clusters, left);
  return out;
}

std::vector<float> marks_of_large(const ComponentSizes& sizes) {
  const double least = volume_of_large(sizes);
  std::vector<float> marks;
  marks.reserve(sizes.components.label.size());
  for (const std::int32_t c : sizes.components.label) {
    marks.push_back(sizes.volume[c] > 0 && sizes.volume[c] >= least ? 1.0f : 0.0f);
  }
  return marks;
}

std::int64_t with_other_components(const ComponentSizes& sizes, std::int64_t clusters) {
  const double least = volume_of_large(sizes);
  double sum = 0;
  for (const double volume : sizes.volume) sum += volume >= least ? volume : 0;
  return clusters + std::count_if(sizes.volume.begin(), sizes.volume.end(), [&](double volume) {
           return volume < least && kFirst * volume * static_cast<double>(clusters) > sum;
         });
}

std::int64_t part_bytes(CsrView adjacency) {
  return (adjacency.weighted() ? 8 : 4) * adjacency.entries() + 16 * adjacency.rows();
}

ClusterResult cluster_by_components(CsrView adjacency, const ComponentSizes& sizes, ClusterOptions options,
                                    const KnownSpectrum& known, const Context& context) {
  const auto run = [&](std::span<const float> marks, const ClusterOptions& part_options,
                       const MethodInputs& inputs) {
    const Csr part = marked_part(adjacency, marks);
    CsrView view = part;
    view.checked = true;  // whole components of a checked graph
    return row_of(options.method).run(view, part_options, inputs, context);
  };
  return cluster_by_components(sizes, graph::degrees(adjacency), options, known, run, one_process(), context);
}

ClusterResult cluster_by_components(const ComponentSizes& sizes, std::span<const double> degree,
                                    ClusterOptions options, const KnownSpectrum& known, const RunOnPart& run,
                                    const Processes& processes, const Context& context) {
  const std::int64_t nodes = std::ssize(sizes.components.label), k = options.clusters;
  const std::span<const std::int32_t> initial = options.warm_start;
  check_clusters(k, nodes_of(sizes));
  check_labels_fit(initial, k, nodes);
  const Apportionment shares = apportion_clusters(sizes, k);
  const Roles roles(sizes, shares);
  if (processes.rank() == 0) say(sizes, roles, shares, context);
  const MethodRow& row = row_of(options.method);

  ClusterResult out;
  std::vector<std::int32_t> labels(nodes, -1);
  if (roles.divided > 0) {
    std::vector<float> marks(nodes);
    for (std::int64_t i = 0; i < nodes; ++i) {
      marks[i] = shares.clusters[sizes.components.label[i]] > 1 ? 1.0f : 0.0f;
    }
    const std::vector<std::int32_t> earlier = labels_of_part(initial, marks, k, roles.into, context);
    MethodInputs inputs{.initial = earlier};
    if (marks == known.marks) {
      inputs.density = known.density;
      if (known.lambda_k > 0 && known.clusters == roles.into) options.lambda_k = known.lambda_k;
    }
    options.clusters = roles.into;
    out = run(marks, options, inputs);
    for (std::int64_t i = 0, next = 0; i < nodes; ++i) {
      if (marks[i] > 0) labels[i] = out.labels[next++];
    }
  } else {
    out.report = make_report("connected components", context, options.seed);
    record_options(out.report, options);
    std::erase_if(out.report.options, [&](const auto& option) {
      return std::ranges::find(row.options, option.first) == row.options.end();
    });
  }
  {
    const StageTimer timer(out.report, "other components");
    place_components(labels, degree, sizes, shares, roles.into, k, processes);
    if (!initial.empty()) keep_numbers(labels, initial, k);
  }
  out.labels = std::move(labels);
  out.clusters = k;
  for (auto& [name, value] : out.report.options) {
    if (name == "clusters") value = k;
  }
  auto& figures = out.report.figures;
  std::erase_if(figures, [](const auto& figure) {
    return figure.first == "components" || figure.first == "isolated_nodes";
  });
  figures.emplace_back("components", sizes.components.count);
  figures.emplace_back("isolated_nodes", sizes.components.isolated);
  figures.emplace_back("components_divided", roles.divided);
  figures.emplace_back("clusters_of_divided", roles.into);
  figures.emplace_back("components_as_clusters", roles.whole);
  figures.emplace_back("components_joined", roles.joining);
  return out;
}

void note_components(const ClusterResult& result, const Context& context) {
  const auto count = result.report.figure<std::int64_t>("components");
  const auto isolated = result.report.figure<std::int64_t>("isolated_nodes");
  if (count == 1 || count == result.clusters) return;
  std::string text = fmt::format("the graph has {}", count_of(count, "connected component"));
  if (isolated > 0) text += fmt::format(", {} of them single nodes without edges", isolated);
  context.log(LogLevel::warning, text + "; small ones may have taken clusters");
}

}  // namespace parsimony::cluster
