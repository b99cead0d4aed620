// Implements pfm_format.hpp.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "core/count_of.hpp"
#include "core/images/pfm_format.hpp"
#include "core/images/samples.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

bool is_pfm(std::string_view bytes) {
  return bytes.size() > 2 && (bytes.substr(0, 2) == "PF" || bytes.substr(0, 2) == "Pf") &&
         (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r');
}

Image decode_pfm(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: broken PFM: {}", name, what));
  };
  std::size_t at = 2;
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const auto word = [&](const char* what) {
    while (at < bytes.size() && is_blank(bytes[at])) ++at;
    const std::size_t first = at;
    while (at < bytes.size() && !is_blank(bytes[at])) ++at;
    if (at == bytes.size() || at - first > 32) fail(fmt::format("{} is missing", what));
    return std::string(bytes.substr(first, at - first));
  };
  const auto number = [&](const char* what) {
    const std::string text = word(what);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (*end != '\0' || !(std::abs(value) <= 1e9)) fail(fmt::format("{} is '{}'", what, text));
    return value;
  };
  const auto width = static_cast<std::int64_t>(number("the width"));
  const auto height = static_cast<std::int64_t>(number("the height"));
  const double scale = number("the scale");
  if (scale == 0) fail("the scale is 0");
  ++at;  // one blank behind the scale
  const int channels = bytes[1] == 'F' ? 3 : 1;
  check_image_size(name, width, height, channels, max_bytes);
  const auto count = static_cast<std::size_t>(width * height * channels);
  if (bytes.size() - at != 4 * count) {
    throw Error(ErrorCode::format,
                fmt::format("{}: {} of pixels in a PFM of {} × {}; must be {}", name,
                            count_of(bytes.size() - at, "byte"), width, height, 4 * count));
  }
  Image image;
  image.bits = 32;
  for (int c = 0; c < channels; ++c) image.channels.emplace_back(height, width);
  for (std::int64_t y = height - 1; y >= 0; --y) {  // rows are stored from the bottom
    for (std::int64_t x = 0; x < width; ++x) {
      for (auto& channel : image.channels) {
        std::uint32_t stored = 0;
        for (std::size_t b = 0; b < 4; ++b) {
          const auto byte = static_cast<unsigned char>(bytes[at + (scale < 0 ? 3 - b : b)]);
          stored = stored << 8 | byte;
        }
        channel(y, x) = std::bit_cast<float>(stored);
        at += 4;
      }
    }
  }
  return image;
}

std::string encode_pfm(const Image& image) {
  std::string out = fmt::format("{}\n{} {}\n-1.0\n", image.channels.size() == 3 ? "PF" : "Pf", image.width(),
                                image.height());
  for (std::int64_t y = image.height() - 1; y >= 0; --y) {
    for (std::int64_t x = 0; x < image.width(); ++x) {
      for (const auto& channel : image.channels) {
        const auto stored = std::bit_cast<std::uint32_t>(channel(y, x));
        for (int b = 0; b < 4; ++b) out += static_cast<char>(stored >> (8 * b) & 255);
      }
    }
  }
  return out;
}

}  // namespace parsimony
