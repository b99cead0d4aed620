// Decodes and encodes JPEG with libjpeg, where it was found when this library was configured.
#pragma once

#include <string>
#include <string_view>

#include "core/images/samples.hpp"

namespace parsimony {

bool is_jpeg(std::string_view bytes);

struct JpegSize {
  std::int64_t width = 0, height = 0;
};

/// The size in the header. Throws format; the message has the name and the fault.
JpegSize jpeg_size(std::string_view bytes, const std::string& name);

/// Grey or RGB of 8 bits, by the accurate integer transform of libjpeg, with the ICC profile, the EXIF and
/// the density. Throws format, unsupported (four inks; no libjpeg) and memory_limit.
Samples decode_jpeg(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Quality 95, colours at full resolution. Samples have 8 bits and no alpha.
std::string encode_jpeg(const Samples& samples);

}  // namespace parsimony
