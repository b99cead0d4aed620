// Decodes and encodes PNG, for images and for drawn pictures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parsimony {

/// height × width pixels of `channels` samples (grey, grey and alpha, RGB, RGBA) with 8 or 16 bits, most
/// significant byte first.
struct Samples {
  std::int64_t width = 0, height = 0;
  int channels = 1;
  int bits = 8;
  std::string bytes;
};

bool is_png(std::string_view bytes);

/// Throws format (with the name and the fault), unsupported (too many pixels), and memory_limit if the
/// samples and 4 bytes per value exceed max_bytes (0: no limit).
Samples decode_png(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Throws internal if libpng fails.
std::string encode_png(const Samples& samples);

/// Throws unsupported or memory_limit, as above, for width × height pixels of `channels` values.
void check_image_size(const std::string& name, std::int64_t width, std::int64_t height, int channels,
                      std::int64_t max_bytes);

}  // namespace parsimony
