// The colours of an image with the marks of its pixels.
#pragma once

#include <vector>

#include "images/denoising/pixel_marks.hpp"

namespace parsimony::images {

/// Throws invalid_argument (fewer than 16 × 16 pixels, values that are not finite, neither 1 nor 3 colours).
/// Keeps views of the image.
class MarkedImage {
 public:
  explicit MarkedImage(const Image& image);
  explicit MarkedImage(MatrixView<const float> grey);

  const std::vector<MatrixView<const float>>& colors() const { return colors_; }
  const PixelMarks& marks() const { return marks_; }

 private:
  std::vector<MatrixView<const float>> colors_;
  PixelMarks marks_;
};

/// estimate_sigmas with the marks of another image: the one that was stabilised. correlated: whether the
/// noise of the luminance is.
std::vector<double> estimate_sigmas(const Image& image, const PixelMarks& marks, bool& correlated,
                                    const Context& context);

}  // namespace parsimony::images
