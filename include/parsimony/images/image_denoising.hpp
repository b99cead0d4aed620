// Denoises a grey image by an analysis operator on all overlapping patches: one stage of denoise().
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/fields.hpp"

namespace parsimony::images {

enum class ImagePenalty {
  log,  ///< Σ log(1 + ν r²): concave, denoises better
  l1    ///< Σ |r|: convex, the model of [yaghoobi2013constrained]
};

constexpr auto names_of(ImagePenalty) {
  using enum ImagePenalty;
  return enum_names<ImagePenalty>({{log, "log"}, {l1, "l1"}});
}

struct ImageDenoisingOptions {
  double sigma = 0;  ///< standard deviation of the noise, in units of the image; auto (0): estimated
  ImagePenalty penalty = ImagePenalty::log;
  double weight = 0;       ///< weight of the penalty; auto (0): 0.32 / a (log) or 1.2 / a (l1)
  double nu = 48;          ///< ν of the log penalty, for coefficients in units of sigma
  int max_iterations = 0;  ///< auto (0): 20 of L-BFGS (log) or 80 of ADMM (l1)
  std::int64_t tile = 0;   ///< larger images are cut into tiles of this side; auto (0): 512 (log) or 256 (l1)
};

template <OptionsOf<ImageDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(fields::sigma, options.sigma);
  visit(Field{"penalty", "penalty of the coefficients"}, options.penalty);
  visit(fields::weight, options.weight);
  visit(Field{"nu", "nu of the log penalty, for coefficients in units of sigma", 1e-6, 1e9}, options.nu);
  visit(Field{.name = "max_iterations",
              .help = "limit of the iterations; auto: 20 (log) or 80 (l1)",
              .low = 1,
              .high = 1e6,
              .word = "auto"},
        options.max_iterations);
  visit(Field{.name = "tile",
              .help = "side of the tiles that larger images are cut into; auto: 512 (log) or 256 (l1)",
              .low = 128,
              .high = 1e6,
              .word = "auto"},
        options.tile);
}

struct DenoisedImage {
  Matrix<float> image;
  double sigma = 0;  ///< as given or estimated
  Report report;
};

/// Computes the minimiser, or the point that the iterations reach, of
///   log:  ½ ‖x − y‖² + weight · σ² Σ_i Σ_u log(1 + (ν/σ²) r_i(u)²), weight 0.32 / a by default,
///   l1:   ½ ‖x − y‖² + weight · σ Σ_i Σ_u |r_i(u)|, weight 1.2 / a by default,
/// over images x; y is `image` continued by p mirrored pixels on every side, which are cut off at the end;
/// r_i is the correlation of x with row i of the operator, scaled to norm 1, as a patch of p × p pixels.
/// analysis_operator is a × p², p from 2 to 16; rows should have mean 0, or the brightness of the image is
/// penalised too.
///
/// log: r runs over the patches within y; L-BFGS with memory 8 from y. The problem is not convex, and
/// stopping after 20 iterations is part of the method: more gain nothing. l1: r runs over y continued
/// periodically; ADMM in scaled form, whose x-update is a division where the rows are a tight frame and is
/// linearised elsewhere.
///
/// Images larger than `tile` in a direction are cut into tiles that overlap by 64 pixels and fade into each
/// other there. As the iterations stop before the minimum, the result differs from that of the whole image:
/// by 0.1 grey levels root mean square for house (256 × 256, noise of deviation 20, log) in tiles of 128
/// pixels.
///
/// report: iterations and objective_history of the first tile; figures "sigma", "tiles".
///
/// 4 a p² flops per pixel and iteration. Memory: 12 bytes per pixel of the image, 110 per pixel of a tile
/// (l1: 4 a + 40). The same bytes for any number of threads.
///
/// Throws invalid_argument (options; rows that are not square patches; an image without pixels or with values
/// that are not finite; sigma auto and an image in which no noise is found) and cancelled.
DenoisedImage denoise_by_operator(MatrixView<const float> image, MatrixView<const double> analysis_operator,
                                  const ImageDenoisingOptions& options = {},
                                  const Context& context = Context{});

}  // namespace parsimony::images
