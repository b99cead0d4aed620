// Refuses noise that estimate_sigma did not find.
#pragma once

#include <fmt/format.h>

#include "parsimony/core/error.hpp"
#include "parsimony/images/noise_level.hpp"

namespace parsimony::images {

/// Throws invalid_argument where estimate_sigma found no noise, or less than images are denoised for.
inline void check_estimate(double sigma) {
  if (sigma == 0) refuse("sigma: no noise is found in the image (is it constant?); say how much there is");
  if (sigma >= kLeastSigma) return;
  refuse(
      fmt::format("sigma: the noise found, {}, is out of range; must be at least {:g}", sigma, kLeastSigma));
}

}  // namespace parsimony::images
