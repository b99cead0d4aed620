// Arithmetic in bfloat16.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

namespace parsimony::train {

/// A guard: LibTorch computes convolutions and matrix products in bfloat16 with sums in float32, and the
/// operations between them in the type of their inputs.
class Bfloat16 {
 public:
  explicit Bfloat16(bool enabled) : enabled_(enabled), was_enabled_(is_enabled()), type_(type()) {
    if (enabled_) set(true, at::kBFloat16);
  }
  Bfloat16(const Bfloat16&) = delete;
  Bfloat16& operator=(const Bfloat16&) = delete;
  ~Bfloat16() {
    if (!enabled_) return;
    set(was_enabled_, type_);
    at::autocast::clear_cache();  // the cached weights are about to change
  }

 private:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  static bool is_enabled() {
    return at::autocast::is_autocast_enabled(at::kCPU);
  }
  static at::ScalarType type() {
    return at::autocast::get_autocast_dtype(at::kCPU);
  }
  static void set(bool on, at::ScalarType type) {
    at::autocast::set_autocast_dtype(at::kCPU, type);
    at::autocast::set_autocast_enabled(at::kCPU, on);
  }
#else
  static bool is_enabled() {
    return at::autocast::is_cpu_enabled();
  }
  static at::ScalarType type() {
    return at::autocast::get_autocast_cpu_dtype();
  }
  static void set(bool on, at::ScalarType type) {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(on);
  }
#endif

  bool enabled_, was_enabled_;
  at::ScalarType type_;
};

}  // namespace parsimony::train
