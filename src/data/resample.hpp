// Resizes a channel of a picture.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"

namespace parsimony::data {

/// A window of a larger picture.
struct Window {
  std::int64_t height = 0, width = 0;  ///< size to which the whole picture is resized
  std::int64_t top = 0, left = 0, side = 0;
};

/// The window of the channel resized to window.height × window.width, by the bicubic filter with a = −1/2
/// [keys1981cubic], which is widened by the factor by which the channel shrinks. O(side · (rows + side) ·
/// filter).
Matrix<float> resample(const Matrix<float>& channel, const Window& window);

}  // namespace parsimony::data
