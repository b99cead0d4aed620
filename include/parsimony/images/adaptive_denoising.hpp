// Denoising of an image by an operator that was learned on the image itself, beside the trained flow.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

struct AdaptiveDenoisingOptions {
  double sigma = 0;              ///< standard deviation of the noise, on the scale of grey values
  std::int64_t rows = 64;        ///< of the operator that is learned, of 8 × 8 patches
  std::int64_t patches = 34000;  ///< to learn it from
  std::int64_t batches = 1200;   ///< of 2048 patches, steps of the learner
  std::uint64_t seed = 0;
};

template <OptionsOf<AdaptiveDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise on the scale 0 to 255", 1e-6, 1e6}, options.sigma);
  visit(Field{"rows", "of the operator that is learned", 63, 4096}, options.rows);
  visit(Field{"patches", "to learn it from", 4096, 1 << 30}, options.patches);
  visit(Field{"batches", "steps of the learner", 1, 1e9}, options.batches);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct AdaptedImage {
  Matrix<float> image;
  Matrix<double> omega;  ///< rows × 64; none where the image has too little structure to learn from
  double share = 0;      ///< of what the operator made, in the image; the rest is the flow's
  Report report;
};

/// In four steps: a pilot by denoise_by_flow; an operator from the pilot's patches (learn_geometric, in
/// batches); the minimiser of denoise_image with it; and the blend of the two images, pilot + share · (other
/// − pilot), of the least risk by Stein's unbiased estimate [stein1981estimation]: the mean square of what
/// was taken off the noisy image, and twice the variance of the noise times the divergence of the method,
/// which a second run on the image with a small random perturbation measures [ramani2008monte]. So texture
/// that repeats, which no photograph but this one has, is kept by its own rows, and an image without any is
/// not made worse for them. The rows are taken as fixed in the divergence, although they are learned from the
/// noise too, through the pilot.
///
/// A pilot smaller than a patch, or with fewer than one patch in a thousand of a deviation of 4 grey levels,
/// is returned as it is.
///
/// Time: two runs of denoise_by_flow, two of denoise_image and 4 · rows · 64 · 2048 · batches flops; 20 bytes
/// a pixel beside those. The same for any number of threads.
///
/// report: figures "share", "pilot_risk" and "risk", estimates of the mean square error of the pilot and of
/// the result.
///
/// Throws invalid_argument (options; no pixels; a pixel that is not finite; a flow that does not fit
/// together) and cancelled.
AdaptedImage denoise_adaptively(MatrixView<const float> image, const UnrolledFlow& flow,
                                const AdaptiveDenoisingOptions& options, const Context& context = Context{});

}  // namespace parsimony::images
