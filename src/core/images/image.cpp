#include "parsimony/core/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/images/png_format.hpp"
#include "core/images/pnm_format.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony {
namespace {

std::filesystem::path without_compression(const std::filesystem::path& path) {
  return path.extension() == ".gz" || path.extension() == ".zst" ? path.stem() : path;
}

Image from_samples(const Samples& samples, double most) {
  Image image;
  image.bits = samples.bits;
  image.alpha = samples.channels == 2 || samples.channels == 4;
  const int channels = samples.channels, width = samples.bits / 8;
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

Samples to_samples(const Image& image) {
  Samples samples;
  samples.width = image.width();
  samples.height = image.height();
  samples.channels = static_cast<int>(image.channels.size());
  samples.bits = image.bits == 8 ? 8 : 16;
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

void check_writable(const Image& image, ImageFormat format) {
  if (image.height() == 0 || image.width() == 0) refuse("the image to write has no pixels");
  const std::int64_t colors = image.colors();
  if (colors != 1 && colors != 3)
    refuse(fmt::format("the image to write has {} colours; 1 or 3 can be", colors));
  if (image.bits != 8 && image.bits != 16 && image.bits != 32) {
    refuse(fmt::format("an image of {} bits cannot be written; 8, 16 and 32 can be", image.bits));
  }
  if (format == ImageFormat::pnm && image.alpha)
    refuse("PGM and PPM have no alpha channel; write the image as .png");
  if (format == ImageFormat::npy && image.channels.size() > 1) {
    refuse(fmt::format(".npy holds images of 1 channel, not of {}; write the image as .png",
                       image.channels.size()));
  }
  check_channels(image, "the image to write");
}

}  // namespace

void check_channels(const Image& image, std::string_view name) {
  for (std::size_t c = 0; c < image.channels.size(); ++c) {
    const Matrix<float>& channel = image.channels[c];
    if (channel.rows() == image.height() && channel.cols() == image.width()) continue;
    refuse(fmt::format("{}: the channels differ in shape: {} × {} and {} × {} pixels", name, image.width(),
                       image.height(), channel.cols(), channel.rows()));
  }
}

ImageFormat image_format(const std::filesystem::path& path) {
  const std::string ending = without_compression(path).extension().string();
  if (ending == ".png") return ImageFormat::png;
  if (ending == ".pgm" || ending == ".ppm" || ending == ".pnm") return ImageFormat::pnm;
  if (ending == ".npy") return ImageFormat::npy;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: images end in .png, .pgm, .ppm or .npy", path.string()));
}

Image parse_image(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  if (is_png(bytes)) {
    const Samples samples = decode_png(bytes, name, max_bytes);
    return from_samples(samples, samples.bits == 8 ? 255 : 65535);
  }
  if (is_pnm(bytes)) {
    int most = 0;
    const Samples samples = decode_pnm(bytes, name, max_bytes, most);
    return from_samples(samples, most);
  }
  throw Error(ErrorCode::format, fmt::format("{}: {}", name,
                                             bytes.empty() ? "the file is empty; PNG, PGM and PPM are read"
                                                           : "neither PNG nor PGM nor PPM"));
}

Image read_image(const std::filesystem::path& path, std::int64_t max_bytes) {
  if (without_compression(path).extension() == ".npy") {
    Image image;
    image.bits = 32;
    image.channels.push_back(read_npy_matrix(path, max_bytes));
    if (image.width() == 0 || image.height() == 0) {
      throw Error(ErrorCode::format, fmt::format("{}: an image without pixels", path.string()));
    }
    return image;
  }
  return parse_image(read_file(path, max_bytes), path.string(), max_bytes);
}

void check_image(const std::filesystem::path& path, const Image& image) {
  check_writable(image, image_format(path));
}

Image as_stored(const Image& image) {
  if (image.bits == 32) return image;
  Image out = image;
  const float scale = image.bits == 8 ? 1.0f : 257.0f;
  for (auto& channel : out.channels) {
    for (float& value : channel.values()) value = std::round(std::clamp(value, 0.0f, 255.0f) * scale) / scale;
  }
  return out;
}

void write_image(const std::filesystem::path& path, const Image& image) {
  const ImageFormat format = image_format(path);
  check_writable(image, format);
  for (const auto& channel : image.channels) {
    for (const float value : channel.values()) {
      if (std::isnan(value)) refuse("the image to write has a NaN");
    }
  }
  if (format == ImageFormat::npy) {
    write_npy(path, image.channels.front().view());
  } else {
    write_file(path,
               format == ImageFormat::png ? encode_png(to_samples(image)) : encode_pnm(to_samples(image)));
  }
}

}  // namespace parsimony
