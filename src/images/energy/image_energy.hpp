// The log penalty of all patches of an image and its gradient.
#pragma once

#include "images/energy/patch_analysis.hpp"
#include "kernels/log_penalty.hpp"

namespace parsimony::images {

/// The weight of the log penalty over the number of rows: tuned on photographs, for noise in units of sigma.
inline constexpr double kLogWeight = 0.32;

/// Returns Σ log(1 + nu r²) over the coefficients of the image and writes its gradient.
inline double log_energy(PatchAnalysis& analysis, MatrixView<const float> image, float nu,
                         MatrixView<float> gradient) {
  return analysis.apply(image, gradient, [nu](const CoefficientStrip& strip) {
    return kernels::log_penalty(strip.values, strip.count(), nu, strip.values);
  });
}

}  // namespace parsimony::images
