// Reads and writes images: PNG, JPEG, TIFF, WebP, BMP, the PNM family, and floats in PFM and .npy.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/output_file.hpp"

namespace parsimony {

/// The meaning of the pixels, as their file states it. Formats that have a place for a tag carry it over; the
/// pixels themselves are neither converted nor turned.
struct ImageTags {
  std::string icc_profile;  ///< a profile of the ICC: PNG, JPEG, TIFF, WebP
  /// EXIF data from their byte order on, with the orientation: PNG, JPEG, WebP. TIFF: the orientation alone.
  std::string exif;
  std::optional<int> srgb_intent;                             ///< rendering intent of sRGB: PNG
  std::optional<std::int32_t> gamma;                          ///< 10^5 times the gamma of gAMA: PNG
  std::optional<std::array<std::int32_t, 8>> chromaticities;  ///< 10^5 times those of cHRM: PNG
  std::array<double, 2> pixels_per_metre{};  ///< across and down; 0: unknown. PNG, JPEG, TIFF
};

/// Channels of one shape, height × width: grey, or red, green and blue, then alpha if there is one. Values
/// are on the scale 0 to 255 for any number of bits, as stored in the file: no gamma is applied.
struct Image {
  std::vector<Matrix<float>> channels;
  int bits = 8;        ///< bits of the file: 8, 16, or 32 for floats, which are kept as they are
  bool alpha = false;  ///< true if the last channel is alpha
  ImageTags tags = {};

  std::int64_t height() const { return channels.empty() ? 0 : channels.front().rows(); }
  std::int64_t width() const { return channels.empty() ? 0 : channels.front().cols(); }
  /// Channels without alpha: 1 or 3.
  std::int64_t colors() const { return static_cast<std::int64_t>(channels.size()) - (alpha ? 1 : 0); }
};

/// Throws invalid_argument, with the name first, unless all channels, alpha too, have one shape.
void check_channels(const Image& image, std::string_view name);

enum class ImageFormat { png, jpeg, tiff, webp, bmp, pnm, pam, pfm, npy };

/// The format by the ending of the name in upper or lower case, after a final .gz or .zst is removed: .png,
/// .jpg, .jpeg, .tif, .tiff, .webp, .bmp, .pgm, .ppm, .pnm, .pam, .pfm or .npy. Throws unsupported for other
/// endings.
ImageFormat image_format(const std::filesystem::path& path);

/// Reads an image. A file whose name ends in .npy is an array of height × width, with 1 to 4 channels behind
/// them or 1 before them; other files are recognised by their first bytes, whatever their name.
/// - PNG: 1 to 16 bits, interlaced or not; a palette becomes RGB, transparency an alpha channel.
/// - JPEG, TIFF, WebP: where libjpeg, libtiff 4.5 and libwebp were found when this library was configured;
/// grey,
///   RGB and, but for JPEG, alpha; TIFF of 1 to 16 bits or floats, one image per file.
/// - BMP without compression; PBM, PGM, PPM and PAM with any maximum, one image per file; PFM.
/// Fewer than 8 bits become 8.
///
/// Memory: the file, its samples, and 4 bytes per value. max_bytes limits the file and the values; 0: no
/// limit. Images above 2^28 pixels are refused. Throws io, format (broken or truncated, with the reason),
/// unsupported (with the name of the format and how to convert it) and memory_limit, each before it allocates
/// memory that the rest of the file does not justify.
Image read_image(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Reads an image other than .npy from memory; name is used in messages.
Image parse_image(std::string_view bytes, const std::string& name, std::int64_t max_bytes = 0);

/// Writes an image through an AtomicFile in the format of the ending. Values are rounded to image.bits (16
/// bits for 32, where the format has them, else 8) and clipped, so that an image that was read is written
/// unchanged, but by JPEG: quality 95. WebP is lossless. .npy, .pfm and .tif keep floats. Throws io,
/// unsupported (a format that this build does not have), and invalid_argument for a number of channels that
/// the format does not have, channels of different shapes, or NaN.
void write_image(const OutputPath& path, const Image& image);

/// Throws the errors of write_image that the ending and the shape of the image cause. Call it before a long
/// computation.
void check_image(const std::filesystem::path& path, const Image& image);

/// The image with the values that write_image would store in a lossless format: rounded to its bits and
/// clipped.
Image as_stored(const Image& image);

/// The image with the values that the file holds: those of as_stored, or of the decoded JPEG.
Image as_stored(const Image& image, const std::filesystem::path& path);

}  // namespace parsimony
