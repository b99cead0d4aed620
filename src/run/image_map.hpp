// Activations of a convolutional network: pixels with their channels side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/finish_rows.hpp"
#include "kernels/round_up.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::run {

/// Row y, column x begins at data + (y · width + x) · stride.
struct ImageMap {
  float* data = nullptr;
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t stride = 0;  ///< channels, completed to a multiple of 16

  ImageMap() = default;
  ImageMap(float* data_, std::int64_t height_, std::int64_t width_, std::int64_t channels_)
      : data(data_), height(height_), width(width_), channels(channels_), stride(padded(channels_)) {}

  static std::int64_t padded(std::int64_t channels) {
    return kernels::round_up(channels, kernels::kFinishPadding);
  }
  std::int64_t pixels() const { return height * width; }
  float* pixel(std::int64_t i) const { return data + i * stride; }
  /// `count` pixels from `first` on, as rows.
  MatrixView<float> rows(std::int64_t first, std::int64_t count) const {
    return {pixel(first), count, channels, stride};
  }
  MatrixView<float> rows() const { return rows(0, pixels()); }
};

/// Memory that tasks borrow, so that each thread has one piece and keeps it warm. Its contents are undefined.
class Scratch {
 public:
  explicit Scratch(std::int64_t values) : values_(values) {}

  class Lease {
   public:
    explicit Lease(Scratch& from) : from_(from), memory_(from.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { from_.give_back(std::move(memory_)); }
    float* data() { return memory_.data(); }

   private:
    Scratch& from_;
    Matrix<float> memory_;
  };

 private:
  Matrix<float> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Matrix<float> out = std::move(free_.back());
        free_.pop_back();
        return out;
      }
    }
    return {1, values_};
  }
  void give_back(Matrix<float> memory) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(memory));
  }

  std::int64_t values_;
  std::mutex mutex_;
  std::vector<Matrix<float>> free_;
};

}  // namespace parsimony::run
