// Reads and writes images: PNG, PGM and PPM with 8 or 16 bits, and float32 in .npy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// Channels of one shape, height × width: grey, or red, green and blue, then alpha if there is one. Values
/// are on the scale 0 to 255 for any number of bits, as stored in the file: no gamma is applied.
struct Image {
  std::vector<Matrix<float>> channels;
  int bits = 8;        ///< bits of the file: 8, 16, or 32 for float32 in .npy
  bool alpha = false;  ///< true if the last channel is alpha

  std::int64_t height() const { return channels.empty() ? 0 : channels.front().rows(); }
  std::int64_t width() const { return channels.empty() ? 0 : channels.front().cols(); }
  /// Channels without alpha: 1 or 3.
  std::int64_t colors() const { return static_cast<std::int64_t>(channels.size()) - (alpha ? 1 : 0); }
};

/// Throws invalid_argument, with the name first, unless all channels, alpha too, have one shape.
void check_channels(const Image& image, std::string_view name);

enum class ImageFormat { png, pnm, npy };

/// The format by the ending of the name, after a final .gz or .zst is removed: .png, .pgm, .ppm, .pnm or
/// .npy. Throws unsupported for other endings.
ImageFormat image_format(const std::filesystem::path& path);

/// Reads an image. A file whose name ends in .npy is a height × width array with one channel; other files are
/// recognised by their first bytes. PNG: 1 to 16 bits, grey, RGB or palette, interlaced or not; a palette
/// becomes RGB, transparency becomes an alpha channel, and fewer than 8 bits become 8. PNM: P2, P3, P5 or P6
/// with any maximum, one image per file. Profiles and text are dropped.
///
/// Memory: the file, its samples, and 4 bytes per value. max_bytes limits the file and the values; 0: no
/// limit. Images above 2^28 pixels are refused. Throws io, format (broken or truncated, with the reason),
/// unsupported and memory_limit, each before it allocates memory that the rest of the file does not justify.
Image read_image(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Reads a PNG or PNM from memory; name is used in messages.
Image parse_image(std::string_view bytes, const std::string& name, std::int64_t max_bytes = 0);

/// Writes an image through an AtomicFile in the format of the ending. PNG and PNM: values are rounded to
/// image.bits (16 bits for 32) and clipped, so that an image that was read is written unchanged. .npy keeps
/// the floats. Throws io, and invalid_argument for a number of channels that the format does not have,
/// channels of different shapes, or NaN.
void write_image(const std::filesystem::path& path, const Image& image);

/// Throws the errors of write_image that the ending and the shape of the image cause. Call it before a long
/// computation.
void check_image(const std::filesystem::path& path, const Image& image);

/// The image with the values that write_image would store: rounded to its bits and clipped.
Image as_stored(const Image& image);

}  // namespace parsimony
