// The range that integers cover, and the one rounding of them all.
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
  constexpr double kShift = 0x1.8p52;  // the numbers there are integers
  return (value + kShift) - kShift;
}

/// clamp(round(value / scale + zero), 0, top): clamped first, which is the same between integers.
inline double affine_level(double value, double scale, double zero, double top) {
  return round_to_even(std::clamp(value / scale + zero, 0.0, top));
}

/// By options.range; see RangeRule.
Range choose_range(std::span<const float> values, const IntegerOptions& options, const Context& context);

}  // namespace parsimony::quant
