// Continues images and signals beyond their borders by mirroring.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The pixel of 0..n−1 where i lies once the image is mirrored over and over, its border pixels repeated.
inline std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  const std::int64_t at = (i % (2 * n) + 2 * n) % (2 * n);
  return at < n ? at : 2 * n - 1 - at;
}

/// The image with `side` more pixels on every side. The methods use these as data too, so that a pixel at the
/// border counts as often in the data as in the patches. With mirrored patches but the data of the image
/// alone, borders would be smoothed twice, and a picture of 256 × 256 would lose 0.1 dB.
inline Matrix<float> mirrored_border(MatrixView<const float> image, std::int64_t side) {
  Matrix<float> out(image.rows + 2 * side, image.cols + 2 * side);
  for (std::int64_t i = 0; i < out.rows(); ++i) {
    for (std::int64_t j = 0; j < out.cols(); ++j) {
      out(i, j) = image(mirrored(i - side, image.rows), mirrored(j - side, image.cols));
    }
  }
  return out;
}

inline Matrix<float> without_border(const Matrix<float>& image, std::int64_t side) {
  Matrix<float> out(image.rows() - 2 * side, image.cols() - 2 * side);
  for (std::int64_t i = 0; i < out.rows(); ++i) {
    std::copy_n(image.row(i + side).data() + side, out.cols(), out.row(i).data());
  }
  return out;
}

}  // namespace parsimony::images
