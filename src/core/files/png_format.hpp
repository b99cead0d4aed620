// The bytes of a PNG, for images and for pictures that are drawn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parsimony {

/// height rows of width pixels of `channels` samples (grey, grey and alpha, RGB, RGBA) of 8 or of 16 bits,
/// most significant byte first.
struct Samples {
  std::int64_t width = 0, height = 0;
  int channels = 1;
  int bits = 8;
  std::string bytes;
};

bool is_png(std::string_view bytes);

/// Throws format (name: what is broken), unsupported (too many pixels), memory_limit (the samples and
/// 4 bytes for each value are more than max_bytes; 0: no limit).
Samples decode_png(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Throws internal.
std::string encode_png(const Samples& samples);

/// Throws unsupported or memory_limit, as above, for width × height pixels of `channels` values.
void check_image_size(const std::string& name, std::int64_t width, std::int64_t height, int channels,
                      std::int64_t max_bytes);

}  // namespace parsimony
