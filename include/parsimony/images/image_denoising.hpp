// Denoising of images by an analysis operator on all overlapping patches.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::images {

enum class ImagePenalty {
  log,  ///< Σ log(1 + ν r²): concave, what denoises well
  l1    ///< Σ |r|: convex, the model of [yaghoobi2013constrained]
};

constexpr auto names_of(ImagePenalty) {
  using enum ImagePenalty;
  return enum_names<ImagePenalty>({{log, "log"}, {l1, "l1"}});
}

struct ImageDenoisingOptions {
  double sigma = 0;  ///< standard deviation of the noise, in units of the image; 0: estimated
  ImagePenalty penalty = ImagePenalty::log;
  double weight = 0;       ///< of the penalty; 0: automatic, see denoise_image
  double nu = 48;          ///< of the log penalty, for coefficients in units of sigma
  int max_iterations = 0;  ///< 0: automatic, 20 of L-BFGS or 80 of ADMM
  std::int64_t tile = 0;   ///< pixels; larger images are cut; 0: automatic, 512 (log) or 256 (l1)
};

template <OptionsOf<ImageDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise on the scale 0 to 255; 0: estimated", 0, 1e6},
        options.sigma);
  visit(Field{"penalty", "of the coefficients"}, options.penalty);
  visit(Field{"weight", "weight of the penalty; 0: automatic", 0, 1e6}, options.weight);
  visit(Field{"nu", "of the log penalty, for coefficients in units of sigma", 1e-6, 1e9}, options.nu);
  visit(Field{"max_iterations", "iterations; 0: automatic", 0, 1e6}, options.max_iterations);
  visit(Field{"tile", "side of the tiles that larger images are cut to, 128 at least; 0: automatic", 0, 1e6},
        options.tile);
}

struct DenoisedImage {
  Matrix<float> image;
  double sigma = 0;  ///< as given or estimated
  Report report;
};

/// The minimiser, or what the iterations reach of it, of
///   log:  ½ ‖x − y‖² + weight · σ² Σ_i Σ_u log(1 + (ν/σ²) r_i(u)²), weight 0.32 / a by default,
///   l1:   ½ ‖x − y‖² + weight · σ Σ_i Σ_u |r_i(u)|, weight 1.2 / a by default,
/// over images x; y is `image` with p pixels more on every side, mirrored, which are cut off at the end; r_i
/// is the correlation of x with row i of omega, scaled to norm 1, as a patch of p × p pixels. omega is a ×
/// p², p from 2 to 16; rows should have the mean 0, or the brightness of the image is penalised too.
///
/// log: r of all patches in it; L-BFGS with memory 8 from y. The problem is not convex, and 20 iterations are
/// part of the method: nothing is gained by more. l1: r of it continued periodically; ADMM in scaled form,
/// whose x-update is a division where the rows are a tight frame and is linearised where they are not.
///
/// Images larger than `tile` in a direction are cut in tiles that overlap by 64 pixels, in which they fade
/// into each other. As the iterations stop before the minimum, the result differs from that of the whole
/// image: by 0.1 grey levels root mean square for house (256 × 256, noise of deviation 20, log) in tiles of
/// 128 pixels.
///
/// report: iterations and objective_history of the (first) tile; figures "sigma", "tiles".
///
/// 4 a p² flops per pixel and iteration. Memory: 12 bytes per pixel of the image, 110 per pixel of a tile
/// (l1: 4 a + 40). The same for any number of threads.
///
/// Throws invalid_argument (options; rows that are no square patches; an image without pixels or with values
/// that are not finite; sigma 0 and an image in which no noise is found) and cancelled.
DenoisedImage denoise_image(MatrixView<const float> image, MatrixView<const double> omega,
                            const ImageDenoisingOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::images
