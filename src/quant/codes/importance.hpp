// Importance of each value of a weight.
#pragma once

#include <cstdint>

#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Reads the importance of a weight in each of its three forms.
class Importance {
 public:
  /// Throws invalid_argument for a number of values that fits none of the three forms, and for a value, named
  /// by its index, that is negative or not finite.
  explicit Importance(const WeightView& weight);

  bool given() const { return !weight_.importance.empty(); }
  /// The importance of value `offset` of output `output`; 1 if none is given.
  float operator()(std::int64_t output, std::int64_t offset) const {
    return given() ? weight_.importance[output * output_stride_ + offset / repeated_] : 1.0f;
  }

 private:
  WeightView weight_;
  std::int64_t output_stride_ = 0;
  std::int64_t repeated_ = 1;  // consecutive values of an output that share one
};

}  // namespace parsimony::quant
