// The orthonormal basis that colours are denoised in.
#pragma once

#include <array>
#include <cmath>

namespace parsimony::images {

/// Row k: the weights of red, green and blue in the luminance, (R + G + B)/√3, and the two colour
/// differences, (R − B)/√2 and (R − 2G + B)/√6.
inline std::array<std::array<double, 3>, 3> opponent_basis() {
  const double a = 1 / std::sqrt(3.0), b = 1 / std::sqrt(2.0), c = 1 / std::sqrt(6.0);
  return {{{a, a, a}, {b, 0, -b}, {c, -2 * c, c}}};
}

}  // namespace parsimony::images
