// Weights for tests of the quantizers.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Owns what a WeightView looks at; N(0, deviation²) to begin with.
struct TestWeight {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  std::vector<float> importance;
  std::vector<std::int32_t> permutation;

  explicit TestWeight(std::vector<std::int64_t> shape_, std::uint64_t seed = 1, float deviation = 0.05f)
      : shape(std::move(shape_)) {
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    values.resize(static_cast<std::size_t>(size));
    RandomStream(seed, "test.weight").fill_normal(values, 0, deviation);
  }
  std::int64_t per_output() const { return std::ssize(values) / shape[0]; }
  WeightView view() const { return {values, shape, importance, permutation}; }
};

}  // namespace parsimony::quant
