// Samples to learn from or to test on: square patches of images, or rows of an array of signals.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

struct PatchOptions {
  std::int64_t count = 100000;  ///< patches to draw
  std::int64_t side = 8;        ///< pixels; a patch is a row of side² values, row by row
  /// Least standard deviation of a patch in grey levels. Flat patches are mostly noise and teach nothing;
  /// lower it for images of low contrast.
  double min_deviation = 4;
  bool zero_mean = true;  ///< subtract the mean of each patch
  bool unit_norm = true;  ///< then divide the patch by its norm
  std::uint64_t seed = 0;
};

template <OptionsOf<PatchOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"count", "patches to draw", 1, 1 << 30}, options.count);
  visit(Field{"side", "side of a patch in pixels", 1, 64}, options.side);
  visit(Field{"min_deviation", "least standard deviation of a patch, on the scale 0 to 255", 0, 255},
        options.min_deviation);
  visit(Field{"zero_mean", "subtract the mean of each patch"}, options.zero_mean);
  visit(Field{"unit_norm", "divide each patch by its norm"}, options.unit_norm);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Draws patches: count × side² values. Every position of every image is equally likely, with replacement.
/// Patches whose deviation is below min_deviation, or whose norm is 0 where it should be 1, are drawn again.
/// The result does not depend on the number of threads, and a longer draw begins with the shorter one.
///
/// O(count · side²) time, divided by the share of patches that are kept.
///
/// Throws invalid_argument (options out of range; no image as large as a patch; values that are not finite;
/// fewer than one patch in 1000 kept, as for a constant image) and cancelled.
Matrix<float> random_patches(std::span<const MatrixView<const float>> images,
                             const PatchOptions& options = {}, const Context& context = Context{});
Matrix<float> random_patches(std::span<const Matrix<float>> images, const PatchOptions& options = {},
                             const Context& context = Context{});

/// The samples that one call learns from or tests on.
struct SampleOptions {
  /// Signals to use. auto (0): all rows of an array; 34000 patches of images. Raise it to a million for
  /// operators of images that generalise better, at the cost of time.
  std::int64_t samples = 0;
  /// Images only: side of the patches in pixels. auto (0): 8. Larger patches see larger structure and need
  /// more rows and samples.
  std::int64_t patch = 0;
  double min_deviation = PatchOptions{}.min_deviation;  ///< images only: as in PatchOptions
};

template <OptionsOf<SampleOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{.name = "samples",
              .help = "signals to use; auto: all rows of an array, 34000 patches of images",
              .low = 1,
              .high = 1 << 30,
              .word = "auto"},
        options.samples);
  visit(Field{.name = "patch",
              .help = "side of the patches of images in pixels; auto: 8",
              .low = 2,
              .high = 64,
              .word = "auto"},
        options.patch);
  visit(Field{"min_deviation", "least standard deviation of a patch, on the scale 0 to 255", 0, 255},
        options.min_deviation);
}

/// Throws invalid_argument where patch or min_deviation has another value than its default: they say how
/// patches of images are drawn, and an array of signals has none.
void check_signal_options(const SampleOptions& options);

/// Rows of the signals, `samples` of them drawn without replacement and kept in their order; all of them for
/// samples = 0. Throws invalid_argument when there are fewer.
Matrix<float> draw_signals(MatrixView<const float> signals, std::int64_t samples, std::uint64_t seed = 0);

/// Patches of the images by random_patches, without their means and of norm 1; colour images by their
/// luminance. Throws what random_patches throws.
Matrix<float> draw_patches(std::span<const Image> images, const SampleOptions& options,
                           std::uint64_t seed = 0, const Context& context = Context{});

/// The grey image 0.299 R + 0.587 G + 0.114 B (Rec. 601); a grey image as it is. Alpha is dropped.
Image luminance(Image image);

}  // namespace parsimony::operators
