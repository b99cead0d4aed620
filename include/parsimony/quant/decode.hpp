// Decodes a weight, and measures its error.
#pragma once

#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// The number of codes that shape, scheme, layout and codebook ask for. Throws invalid_argument if the fields
/// of the tensor do not fit together, or if its scheme does not have a field that is set. It checks all
/// fields except the codes and the layout of integers, which has no meaning.
std::int64_t code_count(const QuantizedTensor& tensor);

/// Throws invalid_argument as code_count does, for too few or too many bytes of codes, and for a code that
/// has no centroid. O(codes).
void check_codes(const QuantizedTensor& tensor);

/// The weight in C order of its shape. An integer decodes to float32(code − zero_point) · scale, or to
/// levels[code] · scale; a block of a product to its centroid, times the factor of its row if there is one.
/// O(values). Throws invalid_argument as code_count does, and for missing codes or a code that the codebook
/// does not have.
std::vector<float> decode(const QuantizedTensor& tensor, const Context& context = Context{});
/// The same values in the order of the codes: C order of coded_shape(), outputs first.
std::vector<float> decode_in_coded_order(const QuantizedTensor& tensor, const Context& context = Context{});

/// Σ a (w − ŵ)² / Σ a w², where a is the importance of the weight, 1 if none is given. For a weight of zeros:
/// 0 if decoded is zero too, otherwise infinity. Throws invalid_argument for sizes that do not fit.
double relative_mse(const WeightView& weight, std::span<const float> decoded);

}  // namespace parsimony::quant
