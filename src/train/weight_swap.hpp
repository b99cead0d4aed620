// Lets layers compute with other weights for a while.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <utility>
#include <vector>

#include "train/layers.hpp"

namespace parsimony::train {

/// begin() replaces the weights, the destructor restores them. begin() is noexcept, so that an exception
/// before it leaves the model unchanged.
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
  /// The replacement already added for this weight (several layers may share it); nullptr if there is none.
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
    std::shared_ptr<torch::nn::Module> module;  // keeps the place alive
  };
  std::vector<Entry> entries_;
  bool begun_ = false;
};

}  // namespace parsimony::train
