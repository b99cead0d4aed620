// Cuts an image into overlapping tiles, so that methods that keep many vectors need memory for a tile only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The overlap of all methods; a fourth of the least `tile` that their options accept.
inline constexpr std::int64_t kTileOverlap = 32;

/// A stretch of pixels and the share it has in each: 1 but where it fades into its neighbours.
struct Stretch {
  std::int64_t first = 0;
  std::vector<float> share;
};

/// Stretches of `extent` pixels, about `tile` long, which overlap by `overlap` on each side of where they
/// meet; the shares of a pixel sum to 1. The outermost pixels of a stretch have share 0, because nothing
/// beyond them was known to the method. tile ≥ 4 · overlap.
inline std::vector<Stretch> cut(std::int64_t extent, std::int64_t tile, std::int64_t overlap) {
  const std::int64_t count = std::max<std::int64_t>(1, (extent + tile - 1) / tile);
  const std::int64_t unknown = overlap / 4;
  std::vector<Stretch> out;
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t begin = extent * k / count, end = extent * (k + 1) / count;
    const std::int64_t first = k == 0 ? 0 : begin - overlap;
    const std::int64_t last = k == count - 1 ? extent : end + overlap;
    Stretch stretch{first, std::vector<float>(static_cast<std::size_t>(last - first), 1.0f)};
    const auto fade = [&](std::int64_t from_edge) {
      const auto ramp = static_cast<float>(2 * (overlap - unknown));
      return std::clamp((static_cast<float>(from_edge - unknown) + 0.5f) / ramp, 0.0f, 1.0f);
    };
    for (std::int64_t i = 0; i < last - first; ++i) {
      if (k > 0) stretch.share[i] *= fade(i);
      if (k < count - 1) stretch.share[i] *= fade(last - first - 1 - i);
    }
    out.push_back(std::move(stretch));
  }
  return out;
}

/// out (as large as the image) = Σ over the tiles of share · body(first row, rows, first column, columns,
/// index, count), which returns a Matrix<float> of rows × columns.
template <class Body>
Matrix<float> for_tiles(std::int64_t height, std::int64_t width, std::int64_t tile, std::int64_t overlap,
                        const Context& context, const Body& body) {
  const auto down = cut(height, tile, overlap), across = cut(width, tile, overlap);
  const auto count = static_cast<std::int64_t>(down.size() * across.size());
  Matrix<float> out;
  std::int64_t index = 0;
  for (const Stretch& rows : down) {
    for (const Stretch& cols : across) {
      context.check_cancelled();
      Matrix<float> part = body(rows.first, static_cast<std::int64_t>(rows.share.size()), cols.first,
                                static_cast<std::int64_t>(cols.share.size()), index++, count);
      if (count == 1) return part;
      if (out.size() == 0) out = Matrix<float>(height, width);
      for (std::int64_t y = 0; y < part.rows(); ++y) {
        float* to = out.row(rows.first + y).data() + cols.first;
        for (std::int64_t x = 0; x < part.cols(); ++x) {
          const float share = rows.share[y] * cols.share[x];
          if (share > 0) to[x] += share * part(y, x);
        }
      }
    }
  }
  return out;
}

}  // namespace parsimony::images
