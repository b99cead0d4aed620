#include "images/denoising/pixel_marks.hpp"

#include <algorithm>
#include <limits>

namespace parsimony::images {
namespace {

constexpr std::int64_t kStillSide = 4;
constexpr std::int64_t kOftenClipped = 500;

// Sets `bit` where the colour is clipped.
void mark_clipped(MatrixView<const float> color, std::uint8_t bit, PixelMarks& marks) {
  float least = std::numeric_limits<float>::infinity(), most = -least;
  for (std::int64_t y = 0; y < color.rows; ++y) {
    for (const float value : color.row(y)) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
  }
  std::int64_t at_least = 0, at_most = 0;
  for (std::int64_t y = 0; y < color.rows; ++y) {
    for (const float value : color.row(y)) {
      at_least += value == least;
      at_most += value == most;
    }
  }
  const std::int64_t often = std::max<std::int64_t>(2, color.rows * color.cols / kOftenClipped);
  const bool low = least == 0 || at_least >= often, high = most == 255 || at_most >= often;
  for (std::int64_t y = 0; y < color.rows; ++y) {
    const auto values = color.row(y);
    std::uint8_t* row = marks.bits.data() + y * marks.cols;
    for (std::int64_t x = 0; x < color.cols; ++x) {
      if ((low && values[x] == least) || (high && values[x] == most)) row[x] |= bit;
    }
  }
}

// equal(y, x) counts the pixels from (y, x) to the right, at most kStillSide, that equal it; a square is one
// colour if its rows are and its first column is.
void mark_still(const std::vector<MatrixView<const float>>& colors, PixelMarks& marks) {
  const std::int64_t rows = marks.rows, cols = marks.cols;
  const auto same = [&](std::int64_t y, std::int64_t x, std::int64_t v, std::int64_t u) {
    return std::ranges::all_of(colors, [&](const auto& color) { return color(y, x) == color(v, u); });
  };
  std::vector<std::uint8_t> down(static_cast<std::size_t>(cols),
                                 0);  // rows that end here, each of one colour
  for (std::int64_t y = 0; y < rows; ++y) {
    std::int64_t right = 0;
    for (std::int64_t x = cols - 1; x >= 0; --x) {
      right = x + 1 < cols && same(y, x, y, x + 1) ? right + 1 : 1;
      if (right < kStillSide) {
        down[x] = 0;
        continue;
      }
      down[x] = static_cast<std::uint8_t>(
          y > 0 && down[x] > 0 && same(y, x, y - 1, x) ? std::min<std::int64_t>(down[x] + 1, kStillSide) : 1);
      if (down[x] < kStillSide) continue;
      for (std::int64_t v = y - kStillSide + 1; v <= y; ++v) {
        for (std::int64_t u = x; u < x + kStillSide; ++u) marks.bits[v * cols + u] |= PixelMarks::kStill;
      }
    }
  }
}

}  // namespace

PixelMarks mark_pixels(const std::vector<MatrixView<const float>>& colors, const Matrix<float>* alpha) {
  PixelMarks marks{.rows = colors.front().rows, .cols = colors.front().cols};
  marks.bits.assign(static_cast<std::size_t>(marks.rows * marks.cols), 0);
  for (std::size_t c = 0; c < colors.size(); ++c) {
    mark_clipped(colors[c], static_cast<std::uint8_t>(1 << c), marks);
  }
  mark_still(colors, marks);
  if (alpha != nullptr) {
    for (std::int64_t i = 0; i < alpha->size(); ++i) {
      if (alpha->data()[i] == 0) marks.bits[i] |= PixelMarks::kStill;
    }
  }
  return marks;
}

}  // namespace parsimony::images
