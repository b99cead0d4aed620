// Integers whose values share a scale in groups, and integers with a table of levels.
#pragma once

#include <span>

#include "parsimony/quant/integer_quantizer.hpp"

namespace parsimony::quant {

/// integer_quantize for options with a group or a table of levels. Searches the scale of each group (and its
/// zero point) for the least Σ a (w − ŵ)², a the importance.
QuantizedTensor group_quantize(const WeightView& weight, const IntegerOptions& options,
                               const Context& context);

}  // namespace parsimony::quant
