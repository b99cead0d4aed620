// Random square patches of images: what operators for images are learned from.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::images {

struct PatchOptions {
  std::int64_t count = 100000;  ///< patches to draw
  std::int64_t side = 8;        ///< pixels; a patch is a row of side² values, row by row
  double min_deviation = 4;     ///< grey levels; flat patches are mostly noise and teach nothing
  bool zero_mean = true;        ///< take the mean off each patch
  bool unit_norm = true;        ///< then divide it by its norm
  std::uint64_t seed = 0;
};

template <OptionsOf<PatchOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"count", "patches to draw", 1, 1 << 30}, options.count);
  visit(Field{"side", "side of a patch in pixels", 1, 64}, options.side);
  visit(Field{"min_deviation", "least standard deviation of a patch, on the scale 0 to 255", 0, 255},
        options.min_deviation);
  visit(Field{"zero_mean", "take the mean off each patch"}, options.zero_mean);
  visit(Field{"unit_norm", "divide each patch by its norm"}, options.unit_norm);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// count × side² values. Every position of every image is as likely as every other, with replacement; patches
/// below min_deviation, or whose norm is 0 where it should be 1, are drawn again. The same for any number of
/// threads; the first patches of a longer draw are those of a shorter one.
///
/// O(count · side²) time over the share of patches that are not too flat.
///
/// Throws invalid_argument (options, no image as large as a patch, NaN or infinite values, images with fewer
/// than one patch in 1000 that is not too flat: a constant image has none) and cancelled.
Matrix<float> random_patches(std::span<const Matrix<float>> images, const PatchOptions& options = {},
                             const Context& context = Context{});

}  // namespace parsimony::images
