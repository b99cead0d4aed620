// The range that integers cover, and the rounding that all of them use.
#pragma once

#include <algorithm>
#include <span>

#include "parsimony/quant/integer_quantizer.hpp"

namespace parsimony::quant {

struct Range {
  float low = 0;
  float high = 0;
};

/// The nearest integer of |value| below 2⁵¹, ties to even, in a form that compilers vectorise.
inline double round_to_even(double value) {
  constexpr double kShift = 0x1.8p52;  // doubles of this size are integers
  return (value + kShift) - kShift;
}

/// clamp(round(value / scale + zero), 0, top). It clamps first, which gives the same result for integer
/// limits.
inline double affine_level(double value, double scale, double zero, double top) {
  return round_to_even(std::clamp(value / scale + zero, 0.0, top));
}

/// The range by the rule options.range. importance: as many as values, or none where all count the same.
Range choose_range(std::span<const float> values, std::span<const float> importance,
                   const IntegerOptions& options, const Context& context);

}  // namespace parsimony::quant
