#include "parsimony/core/image.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/count_of.hpp"
#include "core/files/npy_format.hpp"
#include "core/images/bmp_format.hpp"
#include "core/images/foreign.hpp"
#include "core/images/jpeg_format.hpp"
#include "core/images/pfm_format.hpp"
#include "core/images/png_format.hpp"
#include "core/images/pnm_format.hpp"
#include "core/images/samples.hpp"
#include "core/images/tiff_format.hpp"
#include "core/images/webp_format.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony {
namespace {

constexpr const char* kRead = "PNG, JPEG, TIFF, WebP, BMP, PBM, PGM, PPM, PAM, PFM and .npy are read";

std::filesystem::path without_compression(const std::filesystem::path& path) {
  return path.extension() == ".gz" || path.extension() == ".zst" ? path.stem() : path;
}

std::string_view name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::png:
      return "PNG";
    case ImageFormat::jpeg:
      return "JPEG";
    case ImageFormat::tiff:
      return "TIFF";
    case ImageFormat::webp:
      return "WebP";
    case ImageFormat::bmp:
      return "BMP";
    case ImageFormat::pnm:
      return "PNM";
    case ImageFormat::pam:
      return "PAM";
    case ImageFormat::pfm:
      return "PFM";
    case ImageFormat::npy:
      return ".npy";
  }
  return "?";
}

// Libraries that were not found refuse the format before a long computation.
void check_built(ImageFormat format, const std::filesystem::path& path) {
#ifndef PARSIMONY_JPEG
  if (format == ImageFormat::jpeg) decode_jpeg({}, path.string(), 0);
#endif
#ifndef PARSIMONY_TIFF
  if (format == ImageFormat::tiff) decode_tiff({}, path.string(), 0);
#endif
#ifndef PARSIMONY_WEBP
  if (format == ImageFormat::webp) decode_webp({}, path.string(), 0);
#endif
  static_cast<void>(format);
  static_cast<void>(path);
}

// height × width, with channels last, or one channel first.
Image from_npy(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  NpyArray array = parse_npy(bytes, name);
  const std::vector<std::int64_t> shape = array.shape;
  std::int64_t channels = 1;
  if (shape.size() == 3 && shape[2] >= 1 && shape[2] <= 4) {
    channels = shape[2];
    array.shape.pop_back();
  } else if (shape.size() == 3 && shape[0] == 1) {
    array.shape.erase(array.shape.begin());
  } else if (shape.empty() || shape.size() > 2) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: an array of shape ({}); an image is (height, width), (height, width, channels) "
                    "with 1 to 4 channels, or (1, height, width)",
                    name, fmt::join(shape, ", ")));
  }
  Image image;
  image.bits = 32;
  image.alpha = channels == 2 || channels == 4;
  if (array.size() == 0 || channels == 0) {
    throw Error(ErrorCode::format, fmt::format("{}: an image without pixels", name));
  }
  if (channels == 1) {
    image.channels.push_back(npy_matrix<float>(array));
    return image;
  }
  const std::int64_t height = array.shape[0], width = array.shape[1];
  check_image_size(name, width, height, static_cast<int>(channels), max_bytes);
  array.shape = shape;
  const std::vector<float> items = npy_items<float>(array);
  for (std::int64_t c = 0; c < channels; ++c) {
    Matrix<float> plane(height, width);
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        plane(y, x) =
            items[array.fortran_order ? (c * width + x) * height + y : (y * width + x) * channels + c];
      }
    }
    image.channels.push_back(std::move(plane));
  }
  return image;
}

void write_npy_image(const OutputPath& path, const Image& image) {
  if (image.channels.size() == 1) return write_npy(path, image.channels.front().view());
  const std::int64_t shape[] = {image.height(), image.width(),
                                static_cast<std::int64_t>(image.channels.size())};
  std::string out = npy_header("<f4", shape);
  for (std::int64_t i = 0; i < image.height() * image.width(); ++i) {
    for (const auto& channel : image.channels) {
      const auto stored = std::bit_cast<std::uint32_t>(channel.data()[i]);
      for (int b = 0; b < 4; ++b) out += static_cast<char>(stored >> (8 * b) & 255);
    }
  }
  write_file(path, out);
}

std::string encode(ImageFormat format, const Image& image) {
  switch (format) {
    case ImageFormat::jpeg:
      return encode_jpeg(to_samples(image, 8));
    case ImageFormat::webp:
      return encode_webp(to_samples(image, 8));
    case ImageFormat::bmp:
      return encode_bmp(to_samples(image, 8));
    case ImageFormat::tiff:
      return encode_tiff(image);
    case ImageFormat::pfm:
      return encode_pfm(image);
    case ImageFormat::pnm:
    case ImageFormat::pam:
      return encode_pnm(to_samples(image));
    default:
      return encode_png(to_samples(image));
  }
}

void check_writable(const Image& image, ImageFormat format) {
  if (image.height() == 0 || image.width() == 0) refuse("the image to write has no pixels");
  const std::int64_t colors = image.colors();
  if (colors != 1 && colors != 3)
    refuse(fmt::format("the image to write has {}; 1 or 3 can be", count_of(colors, "colour")));
  if (image.bits != 8 && image.bits != 16 && image.bits != 32) {
    refuse(fmt::format("an image of {} cannot be written; 8, 16 and 32 can be", count_of(image.bits, "bit")));
  }
  const std::string_view name = name_of(format);
  const bool has_alpha = format == ImageFormat::png || format == ImageFormat::tiff ||
                         format == ImageFormat::webp || format == ImageFormat::pam ||
                         format == ImageFormat::npy;
  if (image.alpha && !has_alpha) {
    refuse(fmt::format("{} has no alpha channel; write the image as .png", name));
  }
  const std::int64_t most = format == ImageFormat::webp   ? 16383
                            : format == ImageFormat::jpeg ? 65500
                                                          : 1 << 28;
  if (std::max(image.width(), image.height()) > most) {
    refuse(fmt::format("{} holds up to {} pixels a side; write the image as .png", name, most));
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
  using enum ImageFormat;
  std::string ending = without_compression(path).extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  constexpr std::pair<std::string_view, ImageFormat> kEndings[] = {
      {".png", png},   {".jpg", jpeg}, {".jpeg", jpeg}, {".tif", tiff}, {".tiff", tiff},
      {".webp", webp}, {".bmp", bmp},  {".pgm", pnm},   {".ppm", pnm},  {".pnm", pnm},
      {".pam", pam},   {".pfm", pfm},  {".npy", npy}};
  for (const auto& [known, format] : kEndings) {
    if (ending == known) return format;
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: images end in .png, .jpg, .tif, .webp, .bmp, .pgm, .ppm, "
                          ".pam, .pfm or .npy",
                          path.string()));
}

Image parse_image(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  if (is_png(bytes)) return from_samples(decode_png(bytes, name, max_bytes));
  if (is_jpeg(bytes)) return from_samples(decode_jpeg(bytes, name, max_bytes));
  if (is_pnm(bytes)) return from_samples(decode_pnm(bytes, name, max_bytes));
  if (is_webp(bytes)) return from_samples(decode_webp(bytes, name, max_bytes));
  if (is_bmp(bytes)) return from_samples(decode_bmp(bytes, name, max_bytes));
  if (is_pfm(bytes)) return decode_pfm(bytes, name, max_bytes);
  const std::string foreign = foreign_image(bytes, name);
  if (is_tiff(bytes) && foreign.empty()) return decode_tiff(bytes, name, max_bytes);
  if (bytes.empty()) throw Error(ErrorCode::format, fmt::format("{}: the file is empty; {}", name, kRead));
  if (!foreign.empty()) throw Error(ErrorCode::unsupported, fmt::format("{}: {}", name, foreign));
  throw Error(ErrorCode::format, fmt::format("{}: not an image that is known; {}", name, kRead));
}

Image read_image(const std::filesystem::path& path, std::int64_t max_bytes) {
  const std::string bytes = read_file(path, max_bytes);
  if (without_compression(path).extension() == ".npy") return from_npy(bytes, path.string(), max_bytes);
  return parse_image(bytes, path.string(), max_bytes);
}

void check_image(const std::filesystem::path& path, const Image& image) {
  const ImageFormat format = image_format(path);
  check_built(format, path);
  check_writable(image, format);
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

Image as_stored(const Image& image, const std::filesystem::path& path) {
  if (image_format(path) != ImageFormat::jpeg) return as_stored(image);
  return parse_image(encode(ImageFormat::jpeg, image), path.string());
}

void write_image(const OutputPath& path, const Image& image) {
  check_image(path.path(), image);
  const ImageFormat format = image_format(path.path());
  for (const auto& channel : image.channels) {
    for (const float value : channel.values()) {
      if (std::isnan(value)) refuse("the image to write has a NaN");
    }
  }
  if (format == ImageFormat::npy) return write_npy_image(path, image);
  write_file(path, encode(format, image));
}

}  // namespace parsimony
