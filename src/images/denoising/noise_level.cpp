#include "parsimony/images/noise_level.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "images/denoising/channel_noise.hpp"
#include "images/denoising/opponent_basis.hpp"
#include "images/energy/check_image.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/opponent_colors.hpp"

namespace parsimony::images {
namespace {

void check_estimable(MatrixView<const float> image) {
  constexpr std::int64_t kLeast = 16;
  if (image.rows < kLeast || image.cols < kLeast) {
    refuse(
        fmt::format("image: the noise cannot be estimated from {} × {} pixels; at least {} × {} are needed",
                    image.cols, image.rows, kLeast, kLeast));
  }
  check_image(image);
}

}  // namespace

double estimate_sigma(MatrixView<const float> image, const Context& context) {
  check_estimable(image);
  const std::array<double, 1> squares{1};
  return estimate_channel_sigma(image, mark_pixels({image}, nullptr), squares, context);
}

std::vector<double> estimate_sigmas(const Image& image, const Context& context) {
  const std::int64_t colors = image.colors();
  std::vector<MatrixView<const float>> planes;
  for (std::int64_t c = 0; c < colors; ++c) {
    check_estimable(image.channels[static_cast<std::size_t>(c)]);
    planes.emplace_back(image.channels[static_cast<std::size_t>(c)]);
  }
  check_channels(image, "image");
  if (colors != 1 && colors != 3) refuse(fmt::format("an image of {} colours; 1 or 3 can be", colors));
  const PixelMarks marks = mark_pixels(planes, image.alpha ? &image.channels.back() : nullptr);
  const auto basis = opponent_basis();
  std::vector<double> out;
  by_opponent_colors(image, [&](MatrixView<const float> channel, std::int64_t index) {
    std::vector<double> squares{1};
    if (colors == 3) {
      squares.clear();
      for (const double weight : basis[static_cast<std::size_t>(index)]) {
        squares.push_back(weight * weight);
      }
    }
    out.push_back(estimate_channel_sigma(channel, marks, squares, context));
    return copy_of(channel);
  });
  return out;
}

}  // namespace parsimony::images
