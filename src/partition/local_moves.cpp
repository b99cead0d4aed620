#include "parsimony/partition/local_moves.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "partition/cluster_weights.hpp"
#include "partition/gains.hpp"
#include "partition/shuffle.hpp"

namespace parsimony::partition {
namespace {

constexpr double kLeastGain = 1e-9;              // times the degree of a node, so that rounding moves nothing
constexpr std::int64_t kBatches = 64;            // a round of visits has at least so many
constexpr std::int64_t kLargestBatch = 1 << 13;  // places fit into 16 bits
constexpr std::int64_t kEntriesPerBlock = 1 << 12;  // mean number of entries in the rows of a block of nodes
constexpr std::int64_t kVisitsPerBlock = 256;

// A queue that holds a node at most once.
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

struct NodeState {          // 8 bytes: moves look up the states of all neighbours
  std::uint32_t batch = 0;  // the last one that the node was in, and its place there
  std::uint16_t place = 0;
  std::uint16_t visits : 15 = 0;
  bool queued : 1 = true;
};

// Consequences of a move: places [first, last) in the lists of its block.
struct Range {
  std::int32_t first = 0, last = 0;
};

struct Proposal {
  Visit visit;
  std::int32_t to = -1;  // −1: stays
  double weight = 0;     // to that cluster
  Range follow, revisit;
};

struct Follower {
  std::int32_t place;  // in the batch
  float weight;        // weight of the edge to it
};

// The proposals of a block, in their order.
struct Consequences {
  std::vector<Follower> follow;       // neighbours that wait to be moved themselves
  std::vector<std::int32_t> revisit;  // neighbours that the move may leave behind
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
    const std::int64_t nodes = network_.nodes();
    const std::int64_t most = std::clamp<std::int64_t>(nodes / kBatches, 1, kLargestBatch);
    const std::int64_t block = std::clamp<std::int64_t>(
        kEntriesPerBlock * nodes / std::max<std::int64_t>(1, network_.adjacency.entries()), 1,
        kVisitsPerBlock);
    std::vector<Proposal> batch(most);
    std::vector<Consequences> consequences((most + block - 1) / block);
    for (batch_number_ = 1; queue_.count() > 0; ++batch_number_) {
      const std::int64_t count = std::min(most, queue_.count());
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int32_t node = queue_.pop();
        NodeState& state = states_[node];
        state.batch = batch_number_;
        state.place = static_cast<std::uint16_t>(s);
        ++state.visits;
        state.queued = false;
        batch[s].visit.node = node;
      }
      context_.for_blocks(count, block, [&](std::int64_t begin, std::int64_t end) {
        const auto weights = pool_.borrow();
        for (std::int64_t s = begin; s < end; ++s) propose(batch[s], *weights);
      });
      context_.for_blocks(count, block, [&](std::int64_t begin, std::int64_t end) {
        Consequences& of_block = consequences[begin / block];
        of_block.follow.clear();
        of_block.revisit.clear();
        for (std::int64_t s = begin; s < end; ++s) foresee(batch, s, of_block);
      });
      for (std::int64_t s = 0; s < count; ++s) carry_out(batch, s, consequences[s / block]);
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

  // Walks the neighbours while this can still be done side by side; little is left to the end.
  void foresee(std::vector<Proposal>& batch, std::int64_t place, Consequences& out) const {
    Proposal& proposal = batch[place];
    if (proposal.to < 0) return;
    const auto held = [](const auto& list) { return static_cast<std::int32_t>(list.size()); };
    proposal.follow.first = held(out.follow);
    proposal.revisit.first = held(out.revisit);
    const CsrView& a = network_.adjacency;
    for (std::int64_t e = a.offsets[proposal.visit.node]; e < a.offsets[proposal.visit.node + 1]; ++e) {
      const std::int32_t neighbor = a.columns[e];
      const NodeState& state = states_[neighbor];
      const bool here = state.batch == batch_number_;
      if (here && state.place > place && batch[state.place].to >= 0) {
        out.follow.push_back({state.place, a.weighted() ? a.values[e] : 1.0f});
      }
      // A neighbour in the same batch may move in between.
      if (!state.queued && state.visits < options_.max_visits &&
          (here || partition_.labels[neighbor] != proposal.to)) {
        out.revisit.push_back(neighbor);
      }
    }
    proposal.follow.last = held(out.follow);
    proposal.revisit.last = held(out.revisit);
  }

  // Uses the gain at this moment: earlier moves of the batch have changed the volumes, and follow() the
  // weights. If a neighbour has moved, the chosen cluster may not be the best any more; that neighbour has
  // then put the node into the queue again.
  void carry_out(std::vector<Proposal>& batch, std::int64_t place, const Consequences& consequences) {
    const Proposal& proposal = batch[place];
    const Visit& visit = proposal.visit;
    const std::int32_t to = proposal.to;
    if (to < 0 || must_stay(visit.cluster) ||
        gain_.leave(visit) + gain_.join(visit, to, proposal.weight) <= kLeastGain * visit.degree) {
      return;
    }
    move_node(partition_, visit, to, proposal.weight);
    gain_.changed(visit.cluster);
    gain_.changed(to);
    ++moves_;
    for (std::int32_t f = proposal.follow.first; f < proposal.follow.last; ++f) {
      const auto [waiting, weight] = consequences.follow[f];
      follow(batch[waiting], visit.cluster, to, weight);
    }
    for (std::int32_t r = proposal.revisit.first; r < proposal.revisit.last; ++r) {
      const std::int32_t neighbor = consequences.revisit[r];
      NodeState& state = states_[neighbor];
      if (state.queued || partition_.labels[neighbor] == to) continue;
      state.queued = true;
      queue_.push(neighbor);
    }
  }

  // A neighbour at this weight went from one cluster to another.
  static void follow(Proposal& waiting, std::int32_t from, std::int32_t to, double weight) {
    Visit& visit = waiting.visit;
    if (visit.cluster == from) visit.weight -= weight;
    if (visit.cluster == to) visit.weight += weight;
    if (waiting.to == from) waiting.weight -= weight;
    if (waiting.to == to) waiting.weight += weight;
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
    refuse(fmt::format("partition: {} for {}; must be a partition of this network",
                       count_of(partition.labels.size(), "label"), count_of(network.nodes(), "node")));
  }
  if (!(network.total > 0)) return 0;
  if (options.objective == Objective::density) {
    return Mover(network, partition, DensityGain(network, partition), options, context).run();
  }
  return Mover(network, partition, ModularityGain(network, partition, options.resolution), options, context)
      .run();
}

}  // namespace parsimony::partition
