// Filling in what is missing of an image, by an analysis operator on all overlapping patches.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::images {

struct InpaintingOptions {
  double sigma = 0;         ///< noise of the known pixels; 0: they stay as they are
  double nu = 48;           ///< of the log penalty, for coefficients in units of the scale
  double first_scale = 80;  ///< grey levels; the scale is halved from here
  double last_scale = 5;    ///< to here, or to sigma where that is more
  int max_iterations = 30;  ///< of L-BFGS, at each scale
  std::int64_t tile = 512;  ///< pixels; larger images are cut
};

template <OptionsOf<InpaintingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(
      Field{"sigma", "standard deviation of the noise of the known pixels; 0: they stay as they are", 0, 1e6},
      options.sigma);
  visit(Field{"nu", "of the log penalty, for coefficients in units of the scale", 1e-6, 1e9}, options.nu);
  visit(Field{"first_scale", "scale to start from, halved until the last", 1e-3, 1e6}, options.first_scale);
  visit(Field{"last_scale", "scale to end with, where sigma is less", 1e-3, 1e6}, options.last_scale);
  visit(Field{"max_iterations", "iterations at each scale", 1, 1e6}, options.max_iterations);
  visit(Field{"tile", "side of the tiles that larger images are cut to", 128, 1e6}, options.tile);
}

struct InpaintedImage {
  Matrix<float> image;
  Report report;
};

/// A local minimum over x, reached through decreasing scales s, of
///   s² Σ_i Σ_u log(1 + (ν/s²) r_i(u)²)                                        (sigma 0: x = y where known)
///   ½ Σ_known (x − y)² + (0.32/a) s² Σ_i Σ_u log(1 + (ν/s²) r_i(u)²)          (sigma > 0)
/// with y, r and omega as for denoise_image, `image` and `known` both mirrored beyond their borders. known:
/// as large as the image, not 0 where a pixel is known. The values of others do not matter, NaN too. A large
/// scale makes the penalty nearly a square, whose minimum is smooth; smaller ones let edges form in it. The
/// start fills gaps by means over growing squares.
///
/// Tiles as in denoise_image; the start is that of the whole image. Time: as of denoise_image, with
/// max_iterations times the number of scales (5 by default). The same for any number of threads.
///
/// report: figures "known" (their share), "scales", "tiles"; iterations and objective_history (of the last
/// scale) of the first tile.
///
/// Throws invalid_argument (options; rows that are no square patches; shapes; no pixel known; a known pixel
/// that is not finite) and cancelled.
InpaintedImage inpaint_image(MatrixView<const float> image, MatrixView<const float> known,
                             MatrixView<const double> omega, const InpaintingOptions& options = {},
                             const Context& context = Context{});

}  // namespace parsimony::images
