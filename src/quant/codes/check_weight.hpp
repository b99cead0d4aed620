// Checks that quantizers and users of codes share.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Largest number of values of a weight.
inline constexpr std::int64_t kMostValues = std::int64_t{1} << 40;
/// Up to this magnitude squares, and their sums over blocks of 4096, stay within the limits of k-means.
inline constexpr float kLargestBlockValue = 1e15f;

/// The product of the dimensions. Throws invalid_argument unless there are 2 to 5, all positive, and their
/// product is at most kMostValues.
std::int64_t checked_size(std::span<const std::int64_t> shape);

/// Throws invalid_argument if the shape does not fit the values, or if a value is not finite or above `limit`
/// in magnitude. Names it by its index in C order.
void check_weight(const WeightView& weight, float limit);

/// Throws invalid_argument unless this is a permutation of 0..channels − 1, or empty.
void check_permutation(std::span<const std::int32_t> permutation, std::int64_t channels);

}  // namespace parsimony::quant
