// Marks of the pixels whose noise cannot be seen or has been cut off.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/image.hpp"

namespace parsimony::images {

/// For every pixel: which of its colours are at an end of the range, and whether the pixel is `still`.
struct PixelMarks {
  static constexpr std::uint8_t kStill = 8;  ///< bit c (0, 1, 2): colour c is clipped

  std::int64_t rows = 0, cols = 0;
  std::vector<std::uint8_t> bits;

  const std::uint8_t* row(std::int64_t y) const { return bits.data() + y * cols; }
};

/// A colour is clipped at its least and its greatest value, if this value is 0 or 255, or that of one pixel
/// in 500: noise alone gives no other value so often. A pixel is still if it lies in 4 × 4 pixels of one
/// colour, as in borders, masks and drawings, or is fully transparent. Noise of deviation 1 in whole numbers
/// makes such a square about once in 10^6 positions.
PixelMarks mark_pixels(const std::vector<MatrixView<const float>>& colors, const Matrix<float>* alpha);

}  // namespace parsimony::images
