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

/// A small hash table that keeps the order in which clusters were met. Its size follows the degree, not the
/// number of clusters: it stays in the first-level cache, and clearing it costs what filling it did.
class ClusterWeights {
 public:
  /// Forgets everything; at most `most` different clusters will be added.
  void reset(std::int64_t most) {
    for (const std::uint32_t slot : slots_) table_[slot] = 0;
    slots_.clear();
    clusters_.clear();
    weights_.clear();
    const std::size_t size = std::bit_ceil(static_cast<std::size_t>(2 * most + 2));
    if (size > table_.size()) table_.assign(size, 0);
    shift_ = 32 - std::countr_zero(size);
    mask_ = static_cast<std::uint32_t>(size - 1);
  }

  void add(std::int32_t cluster, double weight) {
    std::uint32_t slot = home(cluster);
    for (std::uint32_t at = 0; (at = table_[slot]) != 0; slot = (slot + 1) & mask_) {
      if (clusters_[at - 1] == cluster) {
        weights_[at - 1] += weight;
        return;
      }
    }
    clusters_.push_back(cluster);
    weights_.push_back(weight);
    slots_.push_back(slot);
    table_[slot] = static_cast<std::uint32_t>(clusters_.size());
  }

  /// 0 for a cluster that was not met.
  double of(std::int32_t cluster) const {
    std::uint32_t slot = home(cluster);
    for (std::uint32_t at = 0; (at = table_[slot]) != 0; slot = (slot + 1) & mask_) {
      if (clusters_[at - 1] == cluster) return weights_[at - 1];
    }
    return 0;
  }

  /// The clusters of the neighbours of a node, in the order of its row, with the weight to each.
  void gather(const NetworkView& network, std::span<const std::int32_t> labels, std::int64_t node,
              std::int64_t clusters) {
    const CsrView& a = network.adjacency;
    const std::int64_t begin = a.offsets[node], end = a.offsets[node + 1];
    reset(std::min(end - begin, clusters));
    if (a.weighted()) {
      for (std::int64_t e = begin; e < end; ++e) add(labels[a.columns[e]], a.values[e]);
    } else {
      for (std::int64_t e = begin; e < end; ++e) add(labels[a.columns[e]], 1.0);
    }
  }

  std::span<const std::int32_t> clusters() const { return clusters_; }
  std::span<const double> weights() const { return weights_; }

 private:
  std::uint32_t home(std::int32_t cluster) const {
    return (static_cast<std::uint32_t>(cluster) * 2654435769u) >> shift_;
  }

  std::vector<std::uint32_t> table_ = std::vector<std::uint32_t>(2);  // place in the lists + 1; 0: free
  std::vector<std::uint32_t> slots_;                                  // of the table that are taken
  std::vector<std::int32_t> clusters_;
  std::vector<double> weights_;
  int shift_ = 31;
  std::uint32_t mask_ = 1;
};

/// Scratch that blocks of parallel loops borrow: as many as run at a time are ever made.
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
