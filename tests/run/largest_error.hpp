// The distance of outputs from reference values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace parsimony::run {

/// The largest difference over the largest reference value.
inline double largest_error(std::span<const float> values, const std::vector<float>& right) {
  EXPECT_EQ(values.size(), right.size());
  double error = 0, largest = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(values[i]) - right[i]));
    largest = std::max(largest, std::abs(static_cast<double>(right[i])));
  }
  return error / largest;
}

}  // namespace parsimony::run
