// Noise that grows with the brightness, as that of cameras does: its fit, and its stabilisation.
#pragma once

#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The variance of the noise at brightness x is constant + slope · x, both at least 0.
struct NoiseGrowth {
  double constant = 0, slope = 0;
  bool grows = false;  ///< the variance differs by more than 0.6 of its middle between dark and bright
};

/// Fits the growth of the noise in each colour. Sixteen groups of blocks of equal number by their brightness
/// each give the variance of their flattest (3 %, at least 64), as estimate_sigma has it, without clipped and
/// still pixels. A line is fitted to them by weights that fall with the error, faster above the line, where
/// texture raises the variance, and with the share of low frequencies [foi2008practical].
///
/// Time and memory: those of estimate_sigma for each colour. The same for any number of threads. Throws
/// invalid_argument (fewer than 16 × 16 pixels, values that are not finite, neither 1 nor 3 colours) and
/// cancelled.
std::vector<NoiseGrowth> estimate_noise_growth(const Image& image, const Context& context = Context{});

/// Changes the scale of brightness so that the noise has deviation `sigma` everywhere, by the generalised
/// Anscombe transform (2 / slope) √(slope x + 3/8 slope² + constant); without a slope, by a factor.
Matrix<float> stabilized(MatrixView<const float> image, const NoiseGrowth& growth, double sigma);

/// Turns a denoised image back into mean brightness, by the asymptotically unbiased inverse of stabilized().
Matrix<float> unstabilized(MatrixView<const float> image, const NoiseGrowth& growth, double sigma);

}  // namespace parsimony::images
