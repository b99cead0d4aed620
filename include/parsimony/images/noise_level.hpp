// The standard deviation of the noise in an image, from the image alone.
#pragma once

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The least standard deviation that images are denoised for: in units of a smaller one, and squared, their
/// values would leave float32.
inline constexpr double kLeastNoiseLevel = 1e-6;

/// The standard deviation of white noise in `image`, in its units. The flattest hundredth (1024 at least) of
/// its 8 × 8 blocks is chosen by the low frequencies of their cosine transform; the mean square of their high
/// frequencies, on which under white noise the choice does not depend, is the variance.
///
/// Within 7 % for noise of deviation 10, 3 % of 20, on the photographs that it is tested on, which are
/// themselves not free of noise: what they had before (0 to 3 grey levels) is counted too. 0 for a constant
/// image. Clipped, coloured or compressed noise is not white: it is taken for less than it is.
///
/// O(1024) per block, of at most 2^18 that are spread over the image; 12 bytes for each. The same for any
/// number of threads. Throws invalid_argument (fewer than 16 × 16 pixels, values that are not finite) and
/// cancelled.
double estimate_noise_level(MatrixView<const float> image, const Context& context = Context{});

}  // namespace parsimony::images
