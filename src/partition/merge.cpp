#include "parsimony/partition/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::partition {
namespace {

// Offers made anew, per node and entry of the network: beyond kExact merges follow the gains approximately,
// beyond kLast they follow the offers as they stand. Ten were the most on graphs of people, papers and
// meshes; a hub is offered anew to all its neighbours for each of these, a square of its degree in all.
constexpr std::int64_t kExact = 16, kLast = 32;
constexpr double kTolerance = 0.1;  // in approximate order: a share of the gain
constexpr std::int64_t kHeld = 2;   // offers kept per node and entry, the void ones among them

// A merge at the time of its offer. It is void once one of the two clusters has changed (by its version).
struct Offer {
  double gain;
  std::int32_t a, b;  // a < b
  std::uint32_t version_a, version_b;

  // The queue ends with the largest; of equal gains, with the first numbers.
  bool operator<(const Offer& other) const {
    return std::tie(gain, other.a, other.b) < std::tie(other.gain, a, b);
  }
};

struct BySize {
  double volume;
  std::int32_t cluster;
  // The queue ends with the smallest.
  bool operator<(const BySize& other) const {
    return std::tie(volume, cluster) > std::tie(other.volume, other.cluster);
  }
};

class Merger {
 public:
  Merger(const NetworkView& network, const MergeOptions& options, const Context& context)
      : options_(options),
        context_(context),
        factor_(network.total > 0 ? options.resolution / network.total : 0),
        volume_(network.degree.begin(), network.degree.end()),
        internal_(network.loop.begin(), network.loop.end()),
        neighbors_(network.nodes()),
        version_(network.nodes()),
        into_(network.nodes()) {
    internal_.resize(network.nodes());
    std::iota(into_.begin(), into_.end(), 0);
    const CsrView& a = network.adjacency;
    std::vector<BySize> sizes;
    std::vector<Offer> offers;
    offers.reserve(a.entries() / 2);
    for (std::int32_t i = 0; i < network.nodes(); ++i) {
      sizes.push_back({volume_[i], i});
      neighbors_[i].reserve(a.offsets[i + 1] - a.offsets[i]);
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        const std::int32_t j = a.columns[e];
        const double weight = a.weighted() ? a.values[e] : 1.0;
        neighbors_[i].emplace(j, weight);
        if (i < j) offers.push_back({gain(i, j, weight), i, j, 0, 0});
      }
    }
    offers_ = std::move(offers);
    std::make_heap(offers_.begin(), offers_.end());
    size_ = network.nodes() + a.entries();
    smallest_ = std::priority_queue<BySize>({}, std::move(sizes));
    left_ = network.nodes();
  }

  void run() {
    place_isolated();
    for (std::int64_t done = 0; left_ > options_.clusters; ++done) {
      if (done % 256 == 0) context_.check_cancelled();
      const Offer by_size = offer_of_smallest();
      const std::optional<Offer> best = next_offer();
      if (best && best->gain >= by_size.gain) {
        merge(best->a, best->b);
      } else {
        if (best) push(*best);
        merge(by_size.a, by_size.b);
      }
    }
  }

  std::vector<std::int32_t> labels() {
    std::vector<std::int32_t> out(into_.size()), number(into_.size(), -1);
    std::int32_t next = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      auto root = static_cast<std::int32_t>(i);
      while (into_[root] != root) root = into_[root] = into_[into_[root]];
      if (number[root] < 0) number[root] = next++;
      out[i] = number[root];
    }
    return out;
  }

 private:
  bool is_left(std::int32_t cluster) const { return into_[cluster] == cluster; }

  // Clusters without volume gain and lose nothing anywhere.
  void place_isolated() {
    const auto largest =
        static_cast<std::int32_t>(std::max_element(volume_.begin(), volume_.end()) - volume_.begin());
    for (std::int32_t i = 0; i < std::ssize(volume_) && left_ > options_.clusters; ++i) {
      if (volume_[i] > 0 || i == largest) continue;
      into_[i] = largest;
      --left_;
    }
  }

  double gain(std::int32_t a, std::int32_t b, double weight) const {
    if (options_.gain == MergeGain::modularity) return weight - factor_ * volume_[a] * volume_[b];
    const double both = volume_[a] + volume_[b];
    return share(internal_[a] + internal_[b] + 2 * weight, both) - share(internal_[a], volume_[a]) -
           share(internal_[b], volume_[b]);
  }
  static double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

  Offer offer(std::int32_t a, std::int32_t b, double weight) const {
    if (a > b) std::swap(a, b);
    return {gain(a, b, weight), a, b, version_[a], version_[b]};
  }

  void push(const Offer& offer) {
    offers_.push_back(offer);
    std::push_heap(offers_.begin(), offers_.end());
  }
  Offer pop() {
    std::pop_heap(offers_.begin(), offers_.end());
    const Offer top = offers_.back();
    offers_.pop_back();
    return top;
  }

  // An offer in place of an earlier one.
  void renew(const Offer& offer) {
    push(offer);
    ++renewed_;
  }
  bool is_current(const Offer& offer) const {
    return offer.version_a == version_[offer.a] && offer.version_b == version_[offer.b];
  }
  void drop_void() {
    std::erase_if(offers_, [&](const Offer& offer) {
      return !is_left(offer.a) || !is_left(offer.b) ||
             (options_.gain == MergeGain::normalized_cut && !is_current(offer));
    });
    std::make_heap(offers_.begin(), offers_.end());
  }
  // After each merge.
  void tidy() {
    const bool ends = exact_ && renewed_ >= kExact * size_;
    if (ends || (exact_ && std::ssize(offers_) > kHeld * size_)) drop_void();
    if (ends) exact_ = false;
  }

  // Takes the best offer out of the queue. A merge only adds to volumes, so that by modularity an offer whose
  // weight did not change can only get worse: it waits with its old gain and is then offered anew. By the
  // normalised cut, all neighbours have been offered the merged cluster already. In approximate order an old
  // offer is taken if its present gain is near enough to the next one.
  std::optional<Offer> next_offer() {
    while (!offers_.empty()) {
      const Offer top = pop();
      if (!is_left(top.a) || !is_left(top.b)) continue;
      if (is_current(top)) return top;
      if (exact_ && options_.gain == MergeGain::normalized_cut) continue;
      const double weight = neighbors_[top.a].find(top.b)->second;
      const Offer now = offer(top.a, top.b, weight);
      if (!exact_) {
        const double size = options_.gain == MergeGain::modularity
                                ? 2 * weight - now.gain
                                : std::max(std::abs(now.gain), std::abs(top.gain));
        if (offers_.empty() || renewed_ >= kLast * size_ ||
            now.gain >= offers_.front().gain - kTolerance * size) {
          return now;
        }
      }
      renew(now);
    }
    return std::nullopt;
  }

  Offer offer_of_smallest() {
    const auto next = [&] {
      while (!is_left(smallest_.top().cluster) ||
             smallest_.top().volume != volume_[smallest_.top().cluster]) {
        smallest_.pop();
      }
      return smallest_.top();
    };
    const BySize first = next();
    BySize second = first;  // listed again where what it took in changed nothing of its volume
    while (second.cluster == first.cluster) {
      smallest_.pop();
      second = next();
    }
    smallest_.push(first);
    const auto edge = neighbors_[first.cluster].find(second.cluster);
    return offer(first.cluster, second.cluster, edge == neighbors_[first.cluster].end() ? 0 : edge->second);
  }

  // The one with fewer neighbours goes into the other.
  void merge(std::int32_t a, std::int32_t b) {
    if (neighbors_[a].size() < neighbors_[b].size()) std::swap(a, b);
    double between = 0;
    if (const auto edge = neighbors_[a].find(b); edge != neighbors_[a].end()) {
      between = edge->second;
      neighbors_[a].erase(edge);
    }
    into_[b] = a;
    --left_;
    volume_[a] += volume_[b];
    internal_[a] += internal_[b] + 2 * between;
    ++version_[a];
    const auto moved = std::move(neighbors_[b]);
    for (const auto& [c, weight] : moved) {
      if (c == a) continue;
      const double sum = neighbors_[a][c] += weight;
      neighbors_[c].erase(b);
      neighbors_[c][a] = sum;
      if (options_.gain == MergeGain::modularity || !exact_) push(offer(a, c, sum));
    }
    if (options_.gain == MergeGain::normalized_cut && exact_) {
      for (const auto& [c, weight] : neighbors_[a]) renew(offer(a, c, weight));
    }
    smallest_.push({volume_[a], a});
    tidy();
  }

  const MergeOptions& options_;
  const Context& context_;
  double factor_;
  std::vector<double> volume_, internal_;
  std::vector<std::unordered_map<std::int32_t, double>> neighbors_;  // weights between clusters that are left
  std::vector<std::uint32_t> version_;
  std::vector<std::int32_t> into_;  // itself while it is left
  std::vector<Offer> offers_;       // a heap
  std::int64_t renewed_ = 0;
  bool exact_ = true;
  std::int64_t size_ = 0;  // nodes and entries of the network
  std::priority_queue<BySize> smallest_;
  std::int64_t left_ = 0;
};

}  // namespace

std::vector<std::int32_t> merge_clusters(const NetworkView& network, const MergeOptions& options,
                                         const Context& context) {
  validate_fields(options);
  if (options.clusters > network.nodes()) {
    refuse(fmt::format("clusters: {} is more than the {} to merge", options.clusters,
                       count_of(network.nodes(), "node")));
  }
  Merger merger(network, options, context);
  merger.run();
  return merger.labels();
}

}  // namespace parsimony::partition
