#include "quant/codes/check_weight.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {
std::int64_t checked_size(std::span<const std::int64_t> shape) {
  if (shape.size() < 2 || shape.size() > 5) {
    refuse(
        fmt::format("weight: has {}; must have 2 to 5, outputs first", count_of(shape.size(), "dimension")));
  }
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 1 || extent > kMostValues / size) {
      refuse(fmt::format(
          "weight: has shape {}; every dimension must be at least 1, and their product at most 2^40",
          fmt::join(shape, " x ")));
    }
    size *= extent;
  }
  return size;
}

void check_weight(const WeightView& weight, float limit) {
  const std::int64_t size = checked_size(weight.shape);
  if (std::ssize(weight.values) != size) {
    refuse(fmt::format("weight: shape {} comes with {}; must be {}", fmt::join(weight.shape, " x "),
                       count_of(weight.values.size(), "value"), size));
  }
  for (std::int64_t i = 0; i < size; ++i) {
    if (!(std::abs(weight.values[i]) <= limit)) {
      refuse(fmt::format("weight: value {} is {}; must be finite and at most {:.1e} in magnitude", i,
                         weight.values[i], limit));
    }
  }
}

void check_permutation(std::span<const std::int32_t> permutation, std::int64_t channels) {
  if (permutation.empty()) return;
  if (std::ssize(permutation) != channels) {
    refuse(fmt::format("channel permutation: has {}; must have one for each of the {}",
                       count_of(permutation.size(), "entry", "entries"),
                       count_of(channels, "input channel")));
  }
  std::vector<char> seen(channels);
  for (const std::int32_t channel : permutation) {
    if (channel < 0 || channel >= channels || seen[channel]) {
      refuse(fmt::format("channel permutation: {} {}; must hold each of 0 to {} once", channel,
                         channel < 0 || channel >= channels ? "is not an input channel" : "comes twice",
                         channels - 1));
    }
    seen[channel] = 1;
  }
}

}  // namespace parsimony::quant
