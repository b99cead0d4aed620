// The codes of a weight while a network is trained with them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// For each value of a weight, in C order of its shape, the index of its value among the K · d values of the
/// codebook: training adds the gradients of equal indices up. O(values). Throws invalid_argument unless the
/// tensor has product codes and its outputs first.
std::vector<std::int64_t> codebook_index(const QuantizedTensor& tensor);

/// Integers with scales that are float16 values, as a file stores them; scales that halves do not resolve
/// stay (half_scale_fits). The codes are no longer the nearest: with_values() makes them anew.
QuantizedTensor with_half_scales(QuantizedTensor tensor);

/// The nearest codes of new values, in C order, with the scales and zero points of the tensor. O(values).
/// Throws invalid_argument for another number of values, and for a tensor without one zero point for each
/// scale, or with groups or levels.
QuantizedTensor with_values(QuantizedTensor tensor, std::span<const float> values);

}  // namespace parsimony::quant
