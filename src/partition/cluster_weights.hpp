// The weight from one node to each of the clusters around it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "parsimony/partition/network.hpp"

namespace parsimony::partition {

/// Up to kFlat clusters: one weight per cluster, added to without a branch. For more clusters: a small hash
/// table whose size follows the degree, so that it stays in the first-level cache. In both cases clearing
/// costs as much as filling.
class ClusterWeights {
 public:
  /// Forgets everything; at most `most` different clusters will be added.
  void reset(std::int64_t most) {
    clear();
    prepare_hashed(most);
  }
  void add(std::int32_t cluster, double weight) { add_hashed(cluster, weight); }

  /// The clusters of the neighbours of a node, in the order of its row, with the weight to each.
  void gather(const NetworkView& network, std::span<const std::int32_t> labels, std::int64_t node,
              std::int64_t clusters) {
    const CsrView& a = network.adjacency;
    const std::int64_t begin = a.offsets[node], end = a.offsets[node + 1];
    clear();
    if (clusters <= kFlat) {
      prepare_flat(end - begin, clusters);
      for_row(a, begin, end,
              [&](std::int32_t neighbor, double weight) { add_flat(labels[neighbor], weight); });
      for (std::size_t c = 0; c < count_; ++c) weights_[c] = flat_[clusters_[c]];
    } else {
      prepare_hashed(std::min(end - begin, clusters));
      for_row(a, begin, end,
              [&](std::int32_t neighbor, double weight) { add_hashed(labels[neighbor], weight); });
    }
  }

  /// 0 for a cluster that was not met.
  double of(std::int32_t cluster) const {
    if (!hashed_) return flat_[cluster];
    std::uint32_t slot = home(cluster);
    for (std::uint32_t at = 0; (at = table_[slot]) != 0; slot = (slot + 1) & mask_) {
      if (clusters_[at - 1] == cluster) return weights_[at - 1];
    }
    return 0;
  }

  std::span<const std::int32_t> clusters() const { return {clusters_.data(), count_}; }
  std::span<const double> weights() const { return {weights_.data(), count_}; }

 private:
  static constexpr std::int64_t kFlat = 1 << 15;  // 256 KiB: within the second-level cache

  template <class Add>
  static void for_row(const CsrView& a, std::int64_t begin, std::int64_t end, Add add) {
    if (a.weighted()) {
      for (std::int64_t e = begin; e < end; ++e) add(a.columns[e], static_cast<double>(a.values[e]));
    } else {
      for (std::int64_t e = begin; e < end; ++e) add(a.columns[e], 1.0);
    }
  }

  void clear() {
    if (hashed_) {
      for (std::size_t c = 0; c < count_; ++c) table_[slots_[c]] = 0;
    } else {
      for (std::size_t c = 0; c < count_; ++c) flat_[clusters_[c]] = 0;
    }
    count_ = 0;
  }

  void hold(std::int64_t most) {
    if (most < std::ssize(clusters_)) return;
    clusters_.resize(2 * most + 2);
    weights_.resize(2 * most + 2);
    slots_.resize(2 * most + 2);
  }

  void prepare_flat(std::int64_t degree, std::int64_t clusters) {
    hashed_ = false;
    hold(std::min(degree, clusters));
    if (std::ssize(flat_) < clusters) flat_.resize(clusters);
  }
  // Weights are positive: 0 says that the cluster is new.
  void add_flat(std::int32_t cluster, double weight) {
    const double before = flat_[cluster];
    flat_[cluster] = before + weight;
    clusters_[count_] = cluster;
    count_ += before == 0;
  }

  void prepare_hashed(std::int64_t most) {
    hashed_ = true;
    hold(most);
    const std::size_t size = std::bit_ceil(static_cast<std::size_t>(2 * most + 2));
    if (size > table_.size()) table_.assign(size, 0);
    shift_ = 32 - std::countr_zero(size);
    mask_ = static_cast<std::uint32_t>(size - 1);
  }
  void add_hashed(std::int32_t cluster, double weight) {
    std::uint32_t slot = home(cluster);
    for (std::uint32_t at = 0; (at = table_[slot]) != 0; slot = (slot + 1) & mask_) {
      if (clusters_[at - 1] == cluster) {
        weights_[at - 1] += weight;
        return;
      }
    }
    clusters_[count_] = cluster;
    weights_[count_] = weight;
    slots_[count_] = slot;
    table_[slot] = static_cast<std::uint32_t>(++count_);
  }
  std::uint32_t home(std::int32_t cluster) const {
    return (static_cast<std::uint32_t>(cluster) * 2654435769u) >> shift_;
  }

  // One more entry than clusters that can be met: an entry is written before it is known to be new.
  std::vector<std::int32_t> clusters_;
  std::vector<double> weights_;
  std::size_t count_ = 0;
  bool hashed_ = false;
  std::vector<double> flat_;
  std::vector<std::uint32_t> table_;  // place in the lists + 1; 0: free
  std::vector<std::uint32_t> slots_;  // slots of the table that are taken
  int shift_ = 31;
  std::uint32_t mask_ = 1;
};

/// Scratch memory that blocks of parallel loops borrow; there are as many as run at a time.
template <class T>
class Pool {
 public:
  class Loan {
   public:
    Loan(Pool& pool, std::unique_ptr<T> object) : pool_(pool), object_(std::move(object)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() {
      const std::lock_guard lock(pool_.guard_);
      pool_.free_.push_back(std::move(object_));
    }
    T& operator*() const { return *object_; }

   private:
    Pool& pool_;
    std::unique_ptr<T> object_;
  };

  Loan borrow() {
    const std::lock_guard lock(guard_);
    if (free_.empty()) return {*this, std::make_unique<T>()};
    auto object = std::move(free_.back());
    free_.pop_back();
    return {*this, std::move(object)};
  }

 private:
  std::mutex guard_;
  std::vector<std::unique_ptr<T>> free_;
};

}  // namespace parsimony::partition
