#include "parsimony/images/noise_level.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/count_of.hpp"
#include "images/denoising/channel_noise.hpp"
#include "images/denoising/marked_image.hpp"
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

MarkedImage::MarkedImage(MatrixView<const float> grey) : colors_{grey} {
  check_estimable(grey);
  marks_ = mark_pixels(colors_, nullptr);
}

MarkedImage::MarkedImage(const Image& image) {
  const std::int64_t colors = image.colors();
  if (colors != 1 && colors != 3)
    refuse(fmt::format("an image of {}; 1 or 3 can be", count_of(colors, "colour")));
  check_channels(image, "image");
  for (std::int64_t c = 0; c < colors; ++c) {
    check_estimable(image.channels[static_cast<std::size_t>(c)]);
    colors_.emplace_back(image.channels[static_cast<std::size_t>(c)]);
  }
  marks_ = mark_pixels(colors_, image.alpha ? &image.channels.back() : nullptr);
}

double estimate_sigma(MatrixView<const float> image, const Context& context) {
  const std::array<double, 1> squares{1};
  return estimate_channel_noise(image, MarkedImage(image).marks(), squares, context).sigma;
}

std::vector<double> estimate_sigmas(const Image& image, const PixelMarks& marks, bool& correlated,
                                    const Context& context) {
  const auto basis = opponent_basis();
  std::vector<double> out;
  by_opponent_colors(image, [&](MatrixView<const float> channel, std::int64_t index) {
    std::vector<double> squares{1};
    if (image.colors() == 3) {
      squares.clear();
      for (const double weight : basis[static_cast<std::size_t>(index)]) squares.push_back(weight * weight);
    }
    const ChannelNoise noise = estimate_channel_noise(channel, marks, squares, context);
    if (index == 0) correlated = noise.correlated;
    // JPEG stores colour differences at half of the resolution, where fine noise does not show.
    out.push_back(correlated && index > 0 ? std::max(noise.sigma, out[0]) : noise.sigma);
    return copy_of(channel);
  });
  return out;
}

std::vector<double> estimate_sigmas(const Image& image, const Context& context) {
  bool correlated = false;
  return estimate_sigmas(image, MarkedImage(image).marks(), correlated, context);
}

}  // namespace parsimony::images
