// The check of an image that every method on images begins with.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// Throws invalid_argument, naming the pixel, for a value that is not finite. name begins the message.
inline void check_finite(MatrixView<const float> image, std::string_view name) {
  for (std::int64_t y = 0; y < image.rows; ++y) {
    for (std::int64_t x = 0; x < image.cols; ++x) {
      if (std::isfinite(image(y, x))) continue;
      refuse(fmt::format("{}: row {}, column {} is {}; must be finite", name, y, x, image(y, x)));
    }
  }
}

/// Throws invalid_argument for an image without pixels or with a value that is not finite.
inline void check_image(MatrixView<const float> image) {
  if (image.rows < 1 || image.cols < 1) refuse("image: has no pixels");
  check_finite(image, "image");
}

}  // namespace parsimony::images
