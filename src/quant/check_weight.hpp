// What every quantizer refuses.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Product of the dimensions. Throws invalid_argument unless there are 2 to 5, all positive, of a product
/// below 2⁴⁰.
std::int64_t checked_size(std::span<const std::int64_t> shape);

/// Throws invalid_argument for a shape that is not the values', and for a value that is not finite or above
/// `limit`: named by its index in C order.
void check_weight(const WeightView& weight, float limit);

/// Throws invalid_argument unless it is one of 0..channels − 1, or empty.
void check_permutation(std::span<const std::int32_t> permutation, std::int64_t channels);

}  // namespace parsimony::quant
