#include "core/images/samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

void check_image_size(const std::string& name, std::int64_t width, std::int64_t height, int channels,
                      std::int64_t max_bytes) {
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;
  if (width < 1 || height < 1) {
    throw Error(ErrorCode::format, fmt::format("{}: {} × {} pixels", name, width, height));
  }
  if (width > kMostPixels / height) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: {} × {} pixels; images of up to 2^28 are read", name, width, height));
  }
  // float32 beside samples of at most 16 bits.
  const std::int64_t bytes = width * height * channels * 6;
  if (max_bytes > 0 && bytes > max_bytes) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("{}: {} × {} pixels need {}, above the limit of {}", name, width, height,
                            count_of(bytes, "byte"), max_bytes));
  }
}

void check_expansion(const std::string& name, const char* kind, std::int64_t width, std::int64_t height,
                     std::size_t bytes, std::int64_t expansion) {
  if (width * height <= static_cast<std::int64_t>(bytes) * expansion) return;
  throw Error(ErrorCode::format, fmt::format("{}: truncated {}: {} × {} pixels cannot be in {}", name, kind,
                                             width, height, count_of(bytes, "byte")));
}

Image from_samples(Samples samples) {
  Image image;
  image.bits = samples.bits;
  image.alpha = samples.channels == 2 || samples.channels == 4;
  image.tags = std::move(samples.tags);
  const int channels = samples.channels, width = samples.bits / 8;
  const double most = samples.most;
  for (int c = 0; c < channels; ++c) {
    Matrix<float> plane(samples.height, samples.width);
    const auto* at = reinterpret_cast<const unsigned char*>(samples.bytes.data()) + c * width;
    for (float& value : plane.values()) {
      const int sample = width == 1 ? at[0] : at[0] << 8 | at[1];
      value = static_cast<float>(sample * 255 / most);
      at += channels * width;
    }
    image.channels.push_back(std::move(plane));
  }
  return image;
}

Samples to_samples(const Image& image, int most_bits) {
  Samples samples;
  samples.width = image.width();
  samples.height = image.height();
  samples.channels = static_cast<int>(image.channels.size());
  samples.bits = image.bits == 8 ? 8 : most_bits;
  samples.most = samples.bits == 8 ? 255 : 65535;
  samples.tags = image.tags;
  const int channels = samples.channels, width = samples.bits / 8;
  const float scale = width == 1 ? 1.0f : 257.0f;
  samples.bytes.resize(static_cast<std::size_t>(samples.width * samples.height * channels * width));
  for (int c = 0; c < channels; ++c) {
    char* at = samples.bytes.data() + c * width;
    for (const float value : image.channels[static_cast<std::size_t>(c)].values()) {
      const auto sample = static_cast<int>(std::lround(std::clamp(value, 0.0f, 255.0f) * scale));
      if (width == 2) at[0] = static_cast<char>(sample >> 8);
      at[width - 1] = static_cast<char>(sample & 255);
      at += channels * width;
    }
  }
  return samples;
}

}  // namespace parsimony
