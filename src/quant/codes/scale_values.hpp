// A list of at most 256 scales that stand for the scales of all groups, so that a group takes a byte.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::quant {

/// Rising values, at most `most`, that minimize the squared error of log |scale|; those of each sign stand
/// for scales of that sign. Scales below 2⁻²⁰ of the largest become the least value of their sign, zeros
/// stay. O(n log n).
std::vector<float> choose_scale_values(std::span<const float> scales, std::int64_t most);

}  // namespace parsimony::quant
