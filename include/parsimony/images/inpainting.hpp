// Fills in missing pixels of a grey image by an analysis operator: one stage of inpaint().
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::images {

/// The colour that a mask has where a pixel is missing.
enum class MissingPixels { black, white };

constexpr auto names_of(MissingPixels) {
  using enum MissingPixels;
  return enum_names<MissingPixels>({{black, "black"}, {white, "white"}});
}

struct InpaintOptions {
  /// inpaint() only: white for masks of OpenCV and scikit-image, which mark what is missing.
  MissingPixels missing = MissingPixels::black;
  /// Standard deviation of the noise of the known pixels. 0: none, known pixels stay as they are.
  double sigma = 0;
  double nu = 48;  ///< ν of the log penalty, for coefficients in units of the scale
  double first_scale =
      80;  ///< grey levels; the scale is halved from here; raise it for gaps wider than patches
  double last_scale =
      5;  ///< the scale ends here, or at sigma where that is larger; lower it for sharper edges
  int max_iterations = 30;  ///< L-BFGS iterations at each scale
  std::int64_t tile = 512;  ///< larger images are cut into tiles of this side, in pixels
  /// The operator, a × p² for patches of p × p pixels, p from 2 to 16. Empty: the one that ships.
  Matrix<double> analysis_operator = {};
};

template <OptionsOf<InpaintOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"missing", "what the mask has where a pixel is missing; white: as in OpenCV and scikit-image"},
        options.missing);
  visit(
      Field{"sigma", "standard deviation of the noise of the known pixels; 0: they stay as they are", 0, 1e6},
      options.sigma);
  visit(Field{"nu", "nu of the log penalty, for coefficients in units of the scale", 1e-6, 1e9}, options.nu);
  visit(Field{"first_scale", "scale to start from, halved until the last", 1e-3, 1e6}, options.first_scale);
  visit(Field{"last_scale", "scale to end at, where sigma is less", 1e-3, 1e6}, options.last_scale);
  visit(Field{"max_iterations", "iterations at each scale", 1, 1e6}, options.max_iterations);
  visit(Field{"tile", "side of the tiles that larger images are cut into", 128, 1e6}, options.tile);
}

struct InpaintedImage {
  Matrix<float> image;
  Report report;
};

/// Finds a local minimum over x, through decreasing scales s, of
///   s² Σ_i Σ_u log(1 + (ν/s²) r_i(u)²)                                        (sigma 0: x = y where known)
///   ½ Σ_known (x − y)² + (0.32/a) s² Σ_i Σ_u log(1 + (ν/s²) r_i(u)²)          (sigma > 0)
/// with y and r as for denoise_by_operator, `image` and `known` both mirrored beyond their borders. known: as
/// large as the image, not 0 where a pixel is known. Values of missing pixels do not matter and may be NaN.
/// At a large scale the penalty is nearly a square, whose minimum is smooth; smaller scales let edges form.
/// The start fills the gaps by means over growing squares.
///
/// Tiles as in denoise_by_operator; the start is computed on the whole image. Time: that of
/// denoise_by_operator, with max_iterations times the number of scales (5 by default). The same bytes for any
/// number of threads.
///
/// report: figures "known" (share of known pixels), "scales", "tiles"; iterations and objective_history (at
/// the last scale) of the first tile.
///
/// Throws invalid_argument (options; first_scale below last_scale; rows that are not square patches; shapes;
/// no pixel known; a known pixel that is not finite) and cancelled.
InpaintedImage inpaint_channel(MatrixView<const float> image, MatrixView<const float> known,
                               const InpaintOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::images
