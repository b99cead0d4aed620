#include "parsimony/images/opponent_colors.hpp"

#include <fmt/format.h>

#include <array>

#include "core/count_of.hpp"
#include "images/denoising/opponent_basis.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::images {

Image by_opponent_colors(const Image& image, const ChannelMethod& method) {
  const std::int64_t colors = image.colors();
  if (colors != 1 && colors != 3) {
    refuse(fmt::format("an image of {}; 1 or 3 can be", count_of(colors, "colour")));
  }
  check_channels(image, "image");
  Image out = image;
  if (colors == 1) {
    out.channels[0] = method(image.channels[0], 0);
    return out;
  }
  const auto basis = opponent_basis();
  std::array<Matrix<float>, 3> opponents;
  for (std::size_t k = 0; k < 3; ++k) {
    Matrix<float> mixed(image.height(), image.width());
    for (std::int64_t i = 0; i < mixed.size(); ++i) {
      double sum = 0;
      for (std::size_t l = 0; l < 3; ++l) sum += basis[k][l] * image.channels[l].data()[i];
      mixed.data()[i] = static_cast<float>(sum);
    }
    opponents[k] = method(mixed, static_cast<std::int64_t>(k));
  }
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::int64_t i = 0; i < out.channels[l].size(); ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) sum += basis[k][l] * opponents[k].data()[i];
      out.channels[l].data()[i] = static_cast<float>(sum);
    }
  }
  return out;
}

}  // namespace parsimony::images
