// Arithmetic of half as many bytes, where the processor has it.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

namespace parsimony::train {

/// While it lives LibTorch computes convolutions and products of bfloat16 with sums of float32.
class Bfloat16 {
 public:
  explicit Bfloat16(bool enabled) : enabled_(enabled) { set(true); }
  Bfloat16(const Bfloat16&) = delete;
  Bfloat16& operator=(const Bfloat16&) = delete;
  ~Bfloat16() {
    set(false);
    if (enabled_) at::autocast::clear_cache();  // of weights that are about to change
  }

  /// Images channel by channel within a pixel, which such convolutions read without a copy.
  torch::Tensor inputs(const torch::Tensor& inputs) const {
    return enabled_ && inputs.dim() == 4 ? inputs.contiguous(torch::MemoryFormat::ChannelsLast) : inputs;
  }

 private:
  void set(bool on) const {
    if (!enabled_) return;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, on);
#else
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
#endif
  }

  bool enabled_;
};

}  // namespace parsimony::train
