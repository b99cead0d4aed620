// From codes back to floats, and how far they are from what they were.
#pragma once

#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// The number of codes that its shape, scheme, layout and codebook ask for. Throws invalid_argument when the
/// fields of the tensor do not fit together or its scheme does not have one that it has: all of them are
/// looked at but the codes, and the layout of integers, which means nothing.
std::int64_t code_count(const QuantizedTensor& tensor);

/// The weight, in C order of its shape. An integer decodes to float32(code − zero_point) · scale, a product
/// to its centroids, times the factors of the rows where it has some. Throws invalid_argument as code_count
/// does, for too few codes and for a code that the codebook does not have.
std::vector<float> decode(const QuantizedTensor& tensor, const Context& context = Context{});

/// Σ a (w − ŵ)² / Σ a w², a the weight's importance (1 where it has none); of a weight of zeros 0 if it is
/// met exactly, infinity otherwise. Throws invalid_argument for shapes that do not fit.
double relative_mse(const WeightView& weight, std::span<const float> decoded);

}  // namespace parsimony::quant
