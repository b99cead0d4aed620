// How far decoded values are from a weight.
#pragma once

#include <span>

#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

struct WeightError {
  double error = 0;  ///< Σ a (w − ŵ)², a: the importance
  double norm = 0;   ///< Σ a w²

  double relative() const;  ///< infinite where only the weight is 0
};

/// decoded: as many values as the weight.
WeightError weight_error(const WeightView& weight, std::span<const float> decoded);

}  // namespace parsimony::quant
