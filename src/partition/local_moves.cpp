#include "parsimony/partition/local_moves.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parsimony/core/error.hpp"
#include "partition/cluster_weights.hpp"
#include "partition/gains.hpp"
#include "partition/shuffle.hpp"

namespace parsimony::partition {
namespace {

constexpr double kLeastGain = 1e-9;    // of the degree of a node: rounding moves nothing
constexpr std::int64_t kBatches = 64;  // a round of visits has at least so many
constexpr std::int64_t kLargestBatch = 1 << 13;
constexpr std::int64_t kVisitsPerBlock = 256;

// First come, first served; a node is in it once at most.
class Queue {
 public:
  explicit Queue(std::vector<std::int32_t> nodes) : nodes_(std::move(nodes)), count_(std::ssize(nodes_)) {}
  std::int64_t count() const { return count_; }
  void push(std::int32_t node) {
    nodes_[tail_] = node;
    tail_ = tail_ + 1 == std::ssize(nodes_) ? 0 : tail_ + 1;
    ++count_;
  }
  std::int32_t pop() {
    const std::int32_t node = nodes_[head_];
    head_ = head_ + 1 == std::ssize(nodes_) ? 0 : head_ + 1;
    --count_;
    return node;
  }

 private:
  std::vector<std::int32_t> nodes_;
  std::int64_t head_ = 0, tail_ = 0, count_;
};

struct NodeState {
  std::uint32_t touched = 0;  // the last batch in which a neighbour moved
  std::uint16_t visits = 0;
  bool queued = true;
};

struct Proposal {
  Visit visit;
  std::int32_t to = -1;  // −1: stays
  double weight = 0;     // to that cluster
};

template <class Gain>
class Mover {
 public:
  Mover(const NetworkView& network, Partition& partition, Gain gain, const LocalMoveOptions& options,
        const Context& context)
      : network_(network),
        partition_(partition),
        gain_(std::move(gain)),
        options_(options),
        context_(context),
        queue_(shuffled_order(network.nodes(), options.seed)),
        states_(network.nodes()) {}

  std::int64_t run() {
    const std::int64_t most = std::clamp<std::int64_t>(network_.nodes() / kBatches, 1, kLargestBatch);
    std::vector<Proposal> batch(most);
    for (batch_number_ = 1; queue_.count() > 0; ++batch_number_) {
      const std::int64_t count = std::min(most, queue_.count());
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int32_t node = queue_.pop();
        states_[node].queued = false;
        ++states_[node].visits;
        batch[s].visit.node = node;
      }
      context_.for_blocks(count, kVisitsPerBlock, [&](std::int64_t begin, std::int64_t end) {
        const auto weights = pool_.borrow();
        for (std::int64_t s = begin; s < end; ++s) propose(batch[s], *weights);
      });
      const auto weights = pool_.borrow();
      for (std::int64_t s = 0; s < count; ++s) {
        if (batch[s].to >= 0) carry_out(batch[s], *weights);
      }
    }
    return moves_;
  }

 private:
  bool must_stay(std::int32_t cluster) const {
    return options_.keep_clusters && partition_.sizes[cluster] == 1;
  }

  // The best cluster of the neighbours; of equals the one met first.
  void propose(Proposal& proposal, ClusterWeights& weights) const {
    Visit& visit = proposal.visit;
    proposal.to = -1;
    visit.cluster = partition_.labels[visit.node];
    if (must_stay(visit.cluster)) return;
    weights.gather(network_, partition_.labels, visit.node, partition_.clusters());
    visit.degree = network_.degree[visit.node];
    visit.loop = network_.loop_of(visit.node);
    visit.weight = weights.of(visit.cluster);
    const double leave = gain_.leave(visit);
    double best = kLeastGain * visit.degree;
    for (std::size_t c = 0; c < weights.clusters().size(); ++c) {
      const std::int32_t cluster = weights.clusters()[c];
      if (cluster == visit.cluster) continue;
      const double gain = leave + gain_.join(visit, cluster, weights.weights()[c]);
      if (gain <= best) continue;
      best = gain;
      proposal.to = cluster;
      proposal.weight = weights.weights()[c];
    }
  }

  // By the gain as it is now: the moves before this one in the batch have changed volumes, and where a
  // neighbour moved the weights too.
  void carry_out(Proposal& proposal, ClusterWeights& weights) {
    const Visit& visit = proposal.visit;
    if (must_stay(visit.cluster)) return;
    const bool still_good =
        states_[visit.node].touched != batch_number_ &&
        gain_.leave(visit) + gain_.join(visit, proposal.to, proposal.weight) > kLeastGain * visit.degree;
    if (!still_good) {
      propose(proposal, weights);
      if (proposal.to < 0) return;
    }
    move_node(partition_, visit, proposal.to, proposal.weight);
    gain_.changed(visit.cluster);
    gain_.changed(proposal.to);
    ++moves_;
    const CsrView& a = network_.adjacency;
    for (std::int64_t e = a.offsets[visit.node]; e < a.offsets[visit.node + 1]; ++e) {
      const std::int32_t neighbor = a.columns[e];
      NodeState& state = states_[neighbor];
      state.touched = batch_number_;
      if (state.queued || state.visits >= options_.max_visits || partition_.labels[neighbor] == proposal.to) {
        continue;
      }
      state.queued = true;
      queue_.push(neighbor);
    }
  }

  const NetworkView& network_;
  Partition& partition_;
  Gain gain_;
  const LocalMoveOptions& options_;
  const Context& context_;
  Queue queue_;
  std::vector<NodeState> states_;
  Pool<ClusterWeights> pool_;
  std::uint32_t batch_number_ = 0;
  std::int64_t moves_ = 0;
};

}  // namespace

std::int64_t local_moves(const NetworkView& network, Partition& partition, const LocalMoveOptions& options,
                         const Context& context) {
  validate_fields(options);
  if (std::ssize(partition.labels) != network.nodes()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("partition: {} labels for {} nodes; must be a partition of this network",
                            partition.labels.size(), network.nodes()));
  }
  if (!(network.total > 0)) return 0;
  if (options.objective == Objective::density) {
    return Mover(network, partition, DensityGain(network, partition), options, context).run();
  }
  return Mover(network, partition, ModularityGain(network, partition, options.resolution), options, context)
      .run();
}

}  // namespace parsimony::partition
