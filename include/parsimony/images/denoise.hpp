// Denoises and fills in images in one call, and measures how good the result is.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/fields.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/inpainting.hpp"
#include "parsimony/images/noise_level.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

enum class DenoiseMethod {
  automatic,  ///< flow, or analysis where an analysis operator is given
  flow,       ///< the unrolled flow trained for the noise: the best and the fastest (denoise_by_flow)
  analysis,   ///< the log penalty of an operator's coefficients (denoise_by_operator)
  l1          ///< their sum of absolute values, which is convex (denoise_by_operator)
};

constexpr auto names_of(DenoiseMethod) {
  using enum DenoiseMethod;
  return enum_names<DenoiseMethod>({{automatic, "auto"}, {flow, "flow"}, {analysis, "analysis"}, {l1, "l1"}});
}

struct DenoiseOptions {
  DenoiseMethod method = DenoiseMethod::automatic;
  /// Standard deviation of the noise, on the scale of grey values 0 to 255. auto (0): estimated in each
  /// channel by estimate_sigmas. Give it where it is known, and for noise that is not white.
  double sigma = 0;
  /// flow only: also learn an operator on the image itself and blend both results (denoise_adaptively). Takes
  /// seconds instead of a fraction of one; worth it for texture that repeats.
  bool adapt = false;
  /// analysis and l1: weight of the penalty. auto (0): as denoise_by_operator has it. Raise it where noise
  /// remains, lower it where detail is lost.
  double weight = 0;
  /// analysis: ν of the log penalty, for coefficients in units of sigma. auto (0): 48. Only for operators
  /// that were trained with another value.
  double nu = 0;
  int max_iterations = 0;  ///< analysis and l1: auto (0): 20 or 80
  std::int64_t tile = 0;   ///< analysis and l1: side of the tiles of larger images; auto (0): 512 or 256
  /// analysis and l1: the operator to use, a × p² for patches of p × p pixels. Empty: the one that ships.
  Matrix<double> analysis_operator = {};
  std::optional<UnrolledFlow> own_flow =
      {};  ///< flow: the one to use; none: the one that ships for the noise
};

template <OptionsOf<DenoiseOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"method", "flow: trained for the noise, the fastest; analysis: log penalty; l1: convex"},
        options.method);
  visit(fields::sigma, options.sigma);
  visit(Field{"adapt", "learn an operator on the image too, and blend its result with that of the flow"},
        options.adapt);
  visit(fields::weight, options.weight);
  visit(fields::nu, options.nu);
  visit(Field{.name = "max_iterations",
              .help = "limit of the iterations; auto: 20 of analysis, 80 of l1",
              .low = 1,
              .high = 1e6,
              .word = "auto"},
        options.max_iterations);
  visit(Field{.name = "tile",
              .help = "side of the tiles that larger images are cut into; auto: 512 of analysis, 256 of l1",
              .low = 128,
              .high = 1e6,
              .word = "auto"},
        options.tile);
}

struct DenoiseResult {
  Image image;  ///< with the bits, the alpha and the tags of the input
  /// The noise of each channel, given or estimated; 0: a channel without noise, which stays as it was.
  std::vector<double> sigmas;
  /// One for each channel that was denoised, the luminance first; one without stages where none was.
  std::vector<Report> reports;
};

/// Denoises a grey image, or a colour image as luminance and two colour differences (by_opponent_colors),
/// each with its own estimate of the noise. A channel in which no noise is found stays as it is: the colour
/// differences of a nearly grey image, or all of a clean image, which context.on_log is told. Three equal
/// colours are one: a grey image stored in colours has one sigma and one report, and stays grey.
///
/// sigma auto: where the noise of most colours grows with the brightness (estimate_noise_growth), it is made
/// even before (stabilized), unless it is correlated; the sigmas are then those of the mean variance, and the
/// first report has the figures "noise_constant" and "noise_slope" of each colour.
///
/// Time: for three colours three times that of the method; 0.3 s for 512 × 512 grey pixels by the flow on two
/// cores. Memory: that of the method for one channel, and a copy of the image. The number of threads does not
/// change the bytes.
///
/// Throws invalid_argument (options out of range or of another method than the chosen one; an operator with
/// flow, a flow with analysis or l1; neither 1 nor 3 colours; values that are not finite; sigma below
/// kLeastSigma; sigma auto and fewer than 16 × 16 pixels) and cancelled.
DenoiseResult denoise(const Image& image, const DenoiseOptions& options = {},
                      const Context& context = Context{});

struct InpaintResult {
  Image image;                  ///< with the bits, the alpha and the tags of the input
  double missing = 0;           ///< share of the pixels that were filled in
  std::vector<Report> reports;  ///< one for each channel, the luminance first
};

/// Which pixels a mask keeps: not 0 where one is known. The mask is cut at half of its greatest value, so
/// that masks of 0 and 1, of 0 and 255, and those that went through JPEG are read alike; of several colours
/// the greatest counts. A mask whose colours are all of one value and whose alpha is not is read by its
/// alpha: transparent is black. Throws invalid_argument (channels of different shapes, a value that is not
/// finite).
Matrix<float> known_pixels(const Image& mask, MissingPixels missing = MissingPixels::black);

/// Fills in the missing pixels of a grey or colour image (inpaint_channel on luminance and two colour
/// differences). mask: an image of the same size, read by known_pixels.
///
/// Warns through context.on_log if nothing is missing, and if the pixels that are said to be known all have
/// one value, as holes do, while the missing ones do not: the mask is then probably the wrong way round.
///
/// Time and memory: those of inpaint_channel for each channel. The same bytes for any number of threads.
///
/// Throws invalid_argument (options out of range; sizes that differ; no pixel known; a known pixel that is
/// not finite; neither 1 nor 3 colours) and cancelled.
InpaintResult inpaint(const Image& image, const Image& mask, const InpaintOptions& options = {},
                      const Context& context = Context{});

struct Quality {
  double psnr = 0;  ///< decibels, of the mean squared error over all colours; infinite for equal images
  double ssim = 0;  ///< mean over the colours; NaN for images smaller than 11 × 11 pixels
};

/// How close the image is to the reference, over the colours, on the scale 0 to 255; alpha does not count.
/// Apply as_stored first to measure the values that a file of the image's bits will hold. Throws
/// invalid_argument as check_reference does, and cancelled.
Quality quality(const Image& image, const Image& reference, const Context& context = Context{});

/// Throws invalid_argument unless the reference has the size and the colours of the image and finite values.
void check_reference(const Image& image, const Image& reference);

}  // namespace parsimony::images
