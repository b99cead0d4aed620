#include "distributed/components.hpp"

#include <algorithm>
#include <numeric>

namespace parsimony::distributed {
namespace {

// The components of the own rows and their ghosts alone.
class LocalComponents {
 public:
  explicit LocalComponents(const GraphRows& rows) : parent_(rows.local()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (std::int64_t i = 0; i < rows.own(); ++i) {
      for (std::int64_t e = rows.offsets[i]; e < rows.offsets[i + 1]; ++e) {
        const std::int32_t a = find(static_cast<std::int32_t>(i)), b = find(rows.columns[e]);
        if (a != b) parent_[std::max(a, b)] = std::min(a, b);
      }
    }
  }
  std::int32_t find(std::int32_t node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }

 private:
  std::vector<std::int32_t> parent_;
};

// The first node of the component of every own row.
std::vector<std::int32_t> first_nodes(const GraphRows& rows) {
  LocalComponents local(rows);
  std::vector<std::int32_t> first(rows.local()), label(rows.local());
  for (std::int64_t i = 0; i < rows.local(); ++i) first[i] = rows.global(static_cast<std::int32_t>(i));
  for (bool changes = true; changes;) {
    // The least of each local component, and from there to its nodes.
    for (std::int64_t i = 0; i < rows.local(); ++i) {
      std::int32_t& least = first[local.find(static_cast<std::int32_t>(i))];
      least = std::min(least, first[i]);
    }
    bool changed = false;
    for (std::int64_t i = 0; i < rows.local(); ++i) {
      const std::int32_t least = first[local.find(static_cast<std::int32_t>(i))];
      changed = changed || label[i] != least;
      label[i] = first[i] = least;
    }
    rows.halo->copy(first.data());
    changes = rows.communicator.any(changed);
  }
  first.resize(rows.own());
  return first;
}

}  // namespace

cluster::ComponentSizes component_sizes(const GraphRows& rows) {
  const Communicator& communicator = rows.communicator;
  const Partition& partition = rows.partition;
  std::vector<std::int32_t> first = first_nodes(rows);
  // A component has its number from the process of its first node.
  std::int64_t own = 0;
  for (std::int64_t i = 0; i < rows.own(); ++i) own += first[i] == partition.begin() + i;
  std::vector<std::int32_t> number(rows.own());
  auto next = static_cast<std::int32_t>(communicator.before(own));
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    if (first[i] == partition.begin() + i) number[i] = next++;
  }
  std::vector<std::vector<std::int32_t>> wanted(communicator.count());
  for (const std::int32_t node : first) {
    if (!partition.holds(node)) wanted[partition.owner(node)].push_back(node);
  }
  for (auto& nodes : wanted) {
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  }
  auto asked = communicator.exchange(wanted);
  for (auto& nodes : asked) {
    for (std::int32_t& node : nodes) node = number[node - partition.begin()];
  }
  const auto answers = communicator.exchange(std::move(asked));

  cluster::ComponentSizes out;
  out.components.count = communicator.sum_of(own);
  out.volume.resize(out.components.count);
  out.nodes.resize(out.components.count);
  out.components.label.resize(rows.own());
  const std::vector<double> degree = degrees(rows);
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    std::int32_t& label = out.components.label[i];
    if (partition.holds(first[i])) {
      label = number[first[i] - partition.begin()];
    } else {
      const int owner = partition.owner(first[i]);
      const auto& nodes = wanted[owner];
      label = answers[owner][std::lower_bound(nodes.begin(), nodes.end(), first[i]) - nodes.begin()];
    }
    out.volume[label] += degree[i];
    ++out.nodes[label];
    out.components.isolated += !rows.has_edges(i);
  }
  communicator.sum(std::span(out.volume));
  communicator.sum(std::span(out.nodes));
  out.components.isolated = communicator.sum_of(out.components.isolated);
  return out;
}

}  // namespace parsimony::distributed
