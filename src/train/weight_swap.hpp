// Layers that compute with other weights for a while.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <utility>
#include <vector>

#include "train/layers.hpp"

namespace parsimony::train {

/// Nothing is replaced before begin(), which cannot fail, so that who is left by an exception has done
/// nothing.
class WeightSwap {
 public:
  WeightSwap() = default;
  WeightSwap(const WeightSwap&) = delete;
  WeightSwap& operator=(const WeightSwap&) = delete;
  ~WeightSwap() {
    if (!begun_) return;
    for (Entry& entry : entries_) *entry.place = std::move(entry.own);
  }

  void add(const Layer& layer, torch::Tensor other) {
    entries_.push_back({layer.weight, *layer.weight, std::move(other), layer.module});
  }
  /// What this weight is to be replaced by, where another layer shares it; else nullptr.
  const torch::Tensor* find(const torch::Tensor& weight) const {
    for (const Entry& entry : entries_) {
      if (entry.own.is_same(weight)) return &entry.other;
    }
    return nullptr;
  }
  void begin() noexcept {
    begun_ = true;
    for (Entry& entry : entries_) *entry.place = entry.other;
  }

 private:
  struct Entry {
    torch::Tensor* place;
    torch::Tensor own;
    torch::Tensor other;
    std::shared_ptr<torch::nn::Module> module;  // keeps the place
  };
  std::vector<Entry> entries_;
  bool begun_ = false;
};

}  // namespace parsimony::train
