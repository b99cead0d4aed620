#include "parsimony/partition/leiden.hpp"

#include <numeric>

#include "parsimony/partition/aggregate.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/objectives.hpp"
#include "partition/refinement.hpp"

namespace parsimony::partition {
namespace {

// Numbers clusters by their first node, and splits clusters that are in several pieces.
std::vector<std::int32_t> connected_pieces(const NetworkView& network, std::span<const std::int32_t> labels,
                                           std::int32_t& count) {
  const CsrView& a = network.adjacency;
  std::vector<std::int32_t> piece(labels.size(), -1), open;
  count = 0;
  for (std::size_t first = 0; first < labels.size(); ++first) {
    if (piece[first] >= 0) continue;
    open.assign(1, static_cast<std::int32_t>(first));
    piece[first] = count;
    while (!open.empty()) {
      const std::int32_t i = open.back();
      open.pop_back();
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        const std::int32_t j = a.columns[e];
        if (piece[j] >= 0 || labels[j] != labels[i]) continue;
        piece[j] = count;
        open.push_back(j);
      }
    }
    ++count;
  }
  return piece;
}

class Descent {
 public:
  Descent(const LeidenOptions& options, LeidenResult& result, const Context& context)
      : options_(options), result_(result), context_(context) {}

  // The labels of the nodes of this level; `partition` are those it starts from.
  std::vector<std::int32_t> run(const NetworkView& network, Partition partition) {
    context_.check_cancelled();
    const std::uint64_t seed = options_.seed + static_cast<std::uint64_t>(result_.iterations);
    moves_ +=
        local_moves(network, partition,
                    {.resolution = options_.resolution, .keep_clusters = false, .seed = seed}, context_);
    drop_empty(partition);
    result_.history.push_back(modularity(partition, network.total, options_.resolution));
    Parts parts = refine_clusters(network, partition, options_.resolution, seed + 1, context_);
    if (parts.count() == network.nodes()) {
      std::int32_t count = 0;
      std::vector<std::int32_t> pieces = connected_pieces(network, partition.labels, count);
      split_ = split_ || count > partition.clusters();
      return pieces;
    }
    const Network coarse = aggregate(network, parts.labels, parts.count(), context_);
    // The clusters keep their contents, in fewer nodes.
    partition.labels = std::move(parts.clusters);
    partition.sizes.assign(partition.sizes.size(), 0);
    for (const std::int32_t label : partition.labels) ++partition.sizes[label];
    return project(parts.labels, run(coarse, std::move(partition)));
  }

  bool changed() const { return moves_ > 0 || split_; }

 private:
  const LeidenOptions& options_;
  LeidenResult& result_;
  const Context& context_;
  std::int64_t moves_ = 0;
  bool split_ = false;
};

std::vector<std::int32_t> numbered_by_first_node(std::vector<std::int32_t> labels) {
  std::vector<std::int32_t> number(labels.size(), -1);
  std::int32_t next = 0;
  for (std::int32_t& label : labels) {
    if (number[label] < 0) number[label] = next++;
    label = number[label];
  }
  return labels;
}

}  // namespace

LeidenResult leiden(const NetworkView& network, Partition start, const LeidenOptions& options,
                    const Context& context) {
  validate_fields(options);
  LeidenResult result;
  result.partition = std::move(start);
  result.history.push_back(modularity(result.partition, network.total, options.resolution));
  while (result.iterations < options.iterations && !result.converged) {
    Descent descent(options, result, context);
    std::vector<std::int32_t> labels = descent.run(network, std::move(result.partition));
    result.partition = make_partition(network, numbered_by_first_node(std::move(labels)), 0, context);
    result.converged = !descent.changed();
    ++result.iterations;
    context.progress("communities", result.iterations, options.iterations);
  }
  if (result.iterations < options.iterations) {
    context.progress("communities", options.iterations, options.iterations);
  }
  return result;
}

LeidenResult leiden(const NetworkView& network, const LeidenOptions& options, const Context& context) {
  return leiden(network, singletons(network), options, context);
}

}  // namespace parsimony::partition
