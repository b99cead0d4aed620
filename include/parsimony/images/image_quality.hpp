// Peak signal-to-noise ratio and structural similarity of two grey images; quality() has them for colours.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// Peak signal-to-noise ratio in decibels, 10 log₁₀(peak² / mean squared error); infinite for equal images.
/// Throws invalid_argument for shapes that differ or are empty.
double psnr(MatrixView<const float> image, MatrixView<const float> reference, double peak = 255);

/// Side of the window of ssim in pixels: it has no smaller images.
inline constexpr std::int64_t kSsimWindow = 11;

/// Structural similarity [wang2004image]: the mean over all positions inside the images. The window is
/// Gaussian, 11 × 11 pixels with deviation 1.5; the constants are (0.01 peak)² and (0.03 peak)². 1 for equal
/// images. In float64; the same for any number of threads. Throws invalid_argument for shapes that differ or
/// are smaller than the window, and cancelled.
double ssim(MatrixView<const float> image, MatrixView<const float> reference, double peak = 255,
            const Context& context = Context{});

}  // namespace parsimony::images
