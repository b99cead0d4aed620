// One stage of denoise(): the trained flow, blended with an operator learned on the image itself.
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
  std::int64_t rows = 64;        ///< rows of the operator to learn, for 8 × 8 patches; more cost time
  std::int64_t patches = 34000;  ///< patches to learn it from
  std::int64_t batches = 1200;   ///< steps of the learner, each on 2048 patches; fewer are faster and worse
  std::uint64_t seed = 0;
};

template <OptionsOf<AdaptiveDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise on the scale 0 to 255", 1e-6, 1e6}, options.sigma);
  visit(Field{"rows", "rows of the operator to learn", 63, 4096}, options.rows);
  visit(Field{"patches", "patches to learn it from", 4096, 1 << 30}, options.patches);
  visit(Field{"batches", "steps of the learner", 1, 1e9}, options.batches);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct AdaptedImage {
  Matrix<float> image;
  Matrix<double>
      analysis_operator;  ///< rows × 64; empty where the image has too little structure to learn from
  double share = 0;       ///< weight of the operator's result in the image; that of the flow is 1 − share
  Report report;
};

/// In four steps: a pilot by denoise_by_flow; an operator from patches of the pilot (learn_geometric in
/// batches); the result of denoise_by_operator with it; and the blend pilot + share · (other − pilot) of
/// least risk by Stein's unbiased estimate [stein1981estimation]. The estimate is the mean square of the
/// change to the noisy image, plus twice the variance of the noise times the divergence of the method, which
/// a second run on the image with a small random perturbation measures [ramani2008monte]. Texture that
/// repeats in this photograph is so kept by rows of its own, and an image without such texture does not get
/// worse. The divergence takes the rows as fixed, although they depend on the noise through the pilot.
///
/// A pilot smaller than a patch, or with fewer than one patch in a thousand of a deviation of 4 grey levels,
/// is returned as it is.
///
/// Time: two runs of denoise_by_flow, two of denoise_by_operator and 4 · rows · 64 · 2048 · batches flops; 20
/// bytes a pixel beside those. The same bytes for any number of threads.
///
/// report: figures "share", "pilot_risk" and "risk", estimates of the mean square error of the pilot and of
/// the result.
///
/// Throws invalid_argument (options; no pixels; a pixel that is not finite; a flow whose arrays do not fit
/// together) and cancelled.
AdaptedImage denoise_adaptively(MatrixView<const float> image, const UnrolledFlow& flow,
                                const AdaptiveDenoisingOptions& options, const Context& context = Context{});

}  // namespace parsimony::images
