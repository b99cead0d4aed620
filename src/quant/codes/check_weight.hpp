// What every quantizer refuses, and every user of its codes.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Values of a weight at most.
inline constexpr std::int64_t kMostValues = std::int64_t{1} << 40;
/// Up to here squares, and sums of them over blocks of 4096, stay within k-means' limits.
inline constexpr float kLargestBlockValue = 1e15f;

/// Product of the dimensions. Throws invalid_argument unless there are 2 to 5, all positive, of a product of
/// at most kMostValues.
std::int64_t checked_size(std::span<const std::int64_t> shape);

/// Throws invalid_argument for a shape that is not the values', and for a value that is not finite or above
/// `limit`: named by its index in C order.
void check_weight(const WeightView& weight, float limit);

/// Throws invalid_argument unless it is one of 0..channels − 1, or empty.
void check_permutation(std::span<const std::int32_t> permutation, std::int64_t channels);

/// Throws invalid_argument where the fields of the tensor do not fit together (see code_count), bytes of the
/// codes are missing or too many, or a code has no centroid.
void check_codes(const QuantizedTensor& tensor);

}  // namespace parsimony::quant
