#include "models/image_inputs.hpp"

#include <algorithm>

namespace parsimony::models {

Colors colors_of(Normalization normalization, ImageNetwork network) {
  return data::image_colors(normalization, network >= ImageNetwork::efficientnet_lite0);
}

void write_image(const data::LabelledImages& images, std::int64_t i, const ImageMove& move,
                 const Colors& colors, float* out) {
  const auto pixels = images.image(i);
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < images.height; ++y) {
      const std::int64_t from_y = y + move.down;
      for (std::int64_t x = 0; x < images.width; ++x) {
        const std::int64_t from_x = (move.flip ? images.width - 1 - x : x) + move.right;
        const bool inside = from_y >= 0 && from_y < images.height && from_x >= 0 && from_x < images.width;
        const float value =
            inside ? static_cast<float>(pixels[(c * images.height + from_y) * images.width + from_x]) : 0;
        *out++ = (value / 255 - colors.mean[c]) / colors.deviation[c];
      }
    }
  }
}

torch::Tensor image_inputs(const data::LabelledImages& images, std::int64_t begin, std::int64_t count,
                           const Colors& colors) {
  const torch::Tensor out = torch::empty({count, 3, images.height, images.width});
  for (std::int64_t i = 0; i < count; ++i) {
    write_image(images, begin + i, {}, colors, out.data_ptr<float>() + i * images.values_per_image());
  }
  return out;
}

std::int64_t images_at_once(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kPixels = 32 * 224 * 224;
  return std::clamp<std::int64_t>(kPixels / (height * width), 1, 250);
}

}  // namespace parsimony::models
