// Decodes JPEGs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parsimony::data {

struct JpegSize {
  std::int64_t width = 0, height = 0;
};

/// The size in the header. Throws format; the message has the name and the fault.
JpegSize jpeg_size(std::string_view bytes, const std::string& name);

/// Decodes to planes of red, green and blue, each height × width, by the accurate integer transform of
/// libjpeg; a grey image gives three equal planes. out has 3 · width · height values with the size of
/// jpeg_size(). Throws format.
void decode_jpeg(std::string_view bytes, const std::string& name, std::span<std::uint8_t> out);

}  // namespace parsimony::data
