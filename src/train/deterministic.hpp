// LibTorch as a run needs it, and as it was afterwards.
#pragma once

#include <torch/torch.h>

namespace parsimony::train {

/// While it lives, LibTorch has this many threads, and refuses algorithms whose results vary.
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
