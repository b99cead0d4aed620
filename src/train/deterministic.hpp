// Deterministic settings of LibTorch for the time of a run.
#pragma once

#include <torch/torch.h>

namespace parsimony::train {

/// A guard: LibTorch uses this many threads and refuses algorithms whose results vary; restores the settings
/// at the end.
class Deterministic {
 public:
  explicit Deterministic(int threads) {
    at::globalContext().setDeterministicAlgorithms(true, false);
    torch::set_num_threads(threads);
  }
  Deterministic(const Deterministic&) = delete;
  Deterministic& operator=(const Deterministic&) = delete;
  ~Deterministic() {
    at::globalContext().setDeterministicAlgorithms(deterministic_, warns_);
    torch::set_num_threads(threads_);
  }

 private:
  bool deterministic_ = at::globalContext().deterministicAlgorithms();
  bool warns_ = at::globalContext().deterministicAlgorithmsWarnOnly();
  int threads_ = torch::get_num_threads();
};

}  // namespace parsimony::train
