// An image, or a signal, beyond its ends.
#pragma once

#include <cstdint>

namespace parsimony::cosparse {

/// The pixel of 0..n−1 where i lies once the image is mirrored over and over, its border pixels repeated.
inline std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  const std::int64_t at = (i % (2 * n) + 2 * n) % (2 * n);
  return at < n ? at : 2 * n - 1 - at;
}

}  // namespace parsimony::cosparse
