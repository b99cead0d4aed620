// Estimates sigma, the standard deviation of the noise in an image, from the image alone.
#pragma once

#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The least sigma that images are denoised for: squares of values in units of a smaller one leave float32.
inline constexpr double kLeastSigma = 1e-6;

/// The standard deviation of white noise in `image`, in its units. The method takes the flattest hundredth
/// (at least 1024, or a quarter of fewer) of the 8 × 8 blocks, as judged by the low frequencies of their
/// cosine transform. The variance is the mean square of the high frequencies of these blocks, on which the
/// choice does not depend when the noise is white.
///
/// Clipping: a file of whole numbers cuts noise off at 0 and 255, so that dark and bright blocks have less of
/// it. From the share of clipped pixels in a block follows the share of the variance that a normal
/// distribution keeps [foi2009clipped]; it divides both energies. Blocks with more than a quarter of such
/// pixels are left out (five eighths where nearly all have more). So are blocks that touch 4 × 4 equal
/// pixels: borders, masks and drawn shapes have no noise.
///
/// Correlated noise, as JPEG and demosaicking leave it, is measured where it lives. The method takes the
/// blocks that are flattest in the coarsest frequencies (k + l of 1 and 2), and compares their finest ones
/// (10 to 14) with those of 6 and 7. If the finest have less than half of the deviation, or less than 1/1.4
/// while 3 to 5 have hardly more, sigma is that of 3 to 5, and a little more where the spectrum still rises
/// there. This does not tell a clean photograph that was compressed from a noisy one; its texture is read as
/// noise of 2 to 5 grey levels.
///
/// Accuracy: within 3 % at sigma 10 to 50 on the test photographs, clipped or with a border, and 5 % at 5
/// (median); they have some noise of their own (0 to 3 grey levels), and that is counted too. 0 for an image
/// without noise: one that is constant or drawn, so that fewer than 16 blocks, or one in 1000, are left.
///
/// O(1024) time and 32 bytes per block, for at most 2^18 blocks spread over the image. The same for any
/// number of threads. Throws invalid_argument (fewer than 16 × 16 pixels, values that are not finite) and
/// cancelled.
double estimate_sigma(MatrixView<const float> image, const Context& context = Context{});

/// The same of each channel that an image is denoised in: one of a grey image; the luminance and two colour
/// differences of a colour image (by_opponent_colors). If the noise of the luminance is correlated, the
/// differences have at least as much: JPEG stores them at half of the resolution. Pixels that are fully
/// transparent are left out. Throws as estimate_sigma does, and for neither 1 nor 3 colours.
std::vector<double> estimate_sigmas(const Image& image, const Context& context = Context{});

}  // namespace parsimony::images
