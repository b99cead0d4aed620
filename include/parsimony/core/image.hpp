// Images in and out: PNG, PGM and PPM of 8 and 16 bits, and .npy for what has no bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// Grey, or red, green and blue, and alpha behind them where there is one; all of one shape, height × width.
/// Values are as stored in the file (no gamma is applied), on the scale 0 to 255 whatever the bits.
struct Image {
  std::vector<Matrix<float>> channels;
  int bits = 8;        ///< of the file: 8, 16, or 32 for the float32 of .npy
  bool alpha = false;  ///< the last channel is one

  std::int64_t height() const { return channels.empty() ? 0 : channels.front().rows(); }
  std::int64_t width() const { return channels.empty() ? 0 : channels.front().cols(); }
  /// Channels without alpha: 1 or 3.
  std::int64_t colors() const { return static_cast<std::int64_t>(channels.size()) - (alpha ? 1 : 0); }
};

enum class ImageFormat { png, pnm, npy };

/// By the ending, before which .gz and .zst are taken off: .png, .pgm and .ppm and .pnm, .npy. Throws
/// unsupported for others.
ImageFormat image_format(const std::filesystem::path& path);

/// A file ending in .npy as an array of height × width, float images of one channel; others by their first
/// bytes. PNG: 1 to 16 bits, grey, RGB or palette, interlaced or not; a palette becomes RGB, transparency an
/// alpha channel, fewer than 8 bits 8. PNM: P2, P3, P5, P6 with any maximum, one image a file. What else a
/// file may hold (profiles, text) is not kept.
///
/// Memory: the file, its samples, and 4 bytes a value. max_bytes bounds the file and the values, 0 is no
/// bound; more than 2^28 pixels are never read. Throws io, format (broken or truncated: named), unsupported
/// and memory_limit, before memory is taken that the rest of the file cannot bear out.
Image read_image(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// The same from the bytes of a PNG or PNM; name is for messages.
Image parse_image(std::string_view bytes, const std::string& name, std::int64_t max_bytes = 0);

/// In the format of the ending, through a temporary file. Values are rounded to image.bits (16 for 32 in PNG
/// and PNM) and clipped, so that what was read is written as it was; .npy keeps floats as they are. Throws
/// invalid_argument (no channels or other numbers of them than the format has, shapes that differ, NaN) and
/// io.
void write_image(const std::filesystem::path& path, const Image& image);

/// Throws what write_image would, of the ending and the shape of the image, before anything is computed.
void check_image(const std::filesystem::path& path, const Image& image);

/// The image with the values that write_image would store for its bits.
Image as_stored(const Image& image);

}  // namespace parsimony
