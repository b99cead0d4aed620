// Warnings about codes that lose more than networks stand.
#pragma once

#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

/// Logs a warning where products lose more than a third of a weight, and where a network with batch norm has
/// most of its convolutions in 4 bits a weight or fewer while its means are not corrected. relative_mse: one
/// per weight.
void warn_of_losses(const ModelTensors& model, const CompactRecipe& recipe,
                    std::span<const double> relative_mse, bool corrected, const Context& context);

}  // namespace parsimony::quant
