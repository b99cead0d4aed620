// Distance of decoded values from a weight.
#pragma once

#include <span>

#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

struct WeightError {
  double error = 0;  ///< Σ a (w − ŵ)² with the importance a
  double norm = 0;   ///< Σ a w²

  double relative() const;  ///< infinite if the weight is 0 and decoded is not
};

/// decoded: as many values as the weight has.
WeightError weight_error(const WeightView& weight, std::span<const float> decoded);

}  // namespace parsimony::quant
