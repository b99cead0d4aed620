// The pixels of a JPEG.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parsimony::data {

struct JpegSize {
  std::int64_t width = 0, height = 0;
};

/// Of its header. Throws format (name: what is broken).
JpegSize jpeg_size(std::string_view bytes, const std::string& name);

/// Red, green and blue planes of height × width, as libjpeg's accurate integer transform gives them; grey
/// images have three equal ones. out: 3 · width · height values of jpeg_size. Throws format.
void decode_jpeg(std::string_view bytes, const std::string& name, std::span<std::uint8_t> out);

}  // namespace parsimony::data
