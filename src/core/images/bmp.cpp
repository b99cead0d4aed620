// Implements bmp_format.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/count_of.hpp"
#include "core/images/bmp_format.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

constexpr std::size_t kFileHeader = 14, kInfoHeader = 40;
constexpr std::uint32_t kPlain = 0, kBitFields = 3, kAlphaBitFields = 6;

std::uint32_t little_endian(std::string_view bytes, std::size_t at, int width) {
  std::uint32_t value = 0;
  for (int i = width - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct BmpHeader {
  std::int64_t width = 0, height = 0;
  bool top_down = false;
  int bits = 0;
  bool alpha = false;
  std::size_t pixels = 0;  // offset of the pixels
  std::size_t palette = 0, colors = 0;
};

BmpHeader parse_header(std::string_view bytes, const std::string& name) {
  const auto unsupported = [&](const std::string& kind) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: a BMP {}; 1, 4, 8, 24 and 32 bits without compression "
                            "are read: convert it to PNG",
                            name, kind));
  };
  if (bytes.size() < kFileHeader + kInfoHeader) {
    throw Error(ErrorCode::format,
                fmt::format("{}: truncated BMP: {}", name, count_of(bytes.size(), "byte")));
  }
  BmpHeader header;
  header.pixels = little_endian(bytes, 10, 4);
  const std::size_t info = little_endian(bytes, 14, 4);
  if (info < kInfoHeader || info > 1024)
    unsupported(fmt::format("with a header of {}", count_of(info, "byte")));
  header.width = static_cast<std::int32_t>(little_endian(bytes, 18, 4));
  header.height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
  header.top_down = header.height < 0;
  header.height = std::abs(header.height);
  header.bits = static_cast<int>(little_endian(bytes, 28, 2));
  const std::uint32_t compression = little_endian(bytes, 30, 4);
  const bool fields = compression == kBitFields || compression == kAlphaBitFields;
  if (compression != kPlain && !(fields && header.bits == 32)) {
    unsupported(fmt::format("of {} with compression {}", count_of(header.bits, "bit"), compression));
  }
  if (header.bits != 1 && header.bits != 4 && header.bits != 8 && header.bits != 24 && header.bits != 32) {
    unsupported(fmt::format("of {}", count_of(header.bits, "bit")));
  }
  header.palette = kFileHeader + info;
  if (fields) {
    constexpr std::uint32_t kMasks[] = {0xff0000, 0xff00, 0xff};
    if (bytes.size() < kFileHeader + kInfoHeader + 16) {
      throw Error(ErrorCode::format, name + ": truncated BMP: it ends within the masks");
    }
    for (std::size_t c = 0; c < 3; ++c) {
      if (little_endian(bytes, kFileHeader + kInfoHeader + 4 * c, 4) != kMasks[c])
        unsupported("with other masks than BGRA");
    }
    header.alpha = (info >= 56 || compression == kAlphaBitFields) &&
                   little_endian(bytes, kFileHeader + kInfoHeader + 12, 4) == 0xff000000u;
  }
  if (header.bits <= 8) {
    header.colors = little_endian(bytes, 46, 4);
    if (header.colors == 0) header.colors = std::size_t{1} << header.bits;
    if (header.colors > 256 || header.palette + 4 * header.colors > bytes.size()) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: broken BMP: a palette of {}", name, count_of(header.colors, "colour")));
    }
  }
  return header;
}

}  // namespace

bool is_bmp(std::string_view bytes) {
  return bytes.size() >= 18 && bytes.substr(0, 2) == "BM" && little_endian(bytes, 14, 4) >= 12 &&
         little_endian(bytes, 14, 4) <= 1024;
}

Samples decode_bmp(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  const BmpHeader header = parse_header(bytes, name);
  check_image_size(name, header.width, header.height, 4, max_bytes);
  const std::int64_t stride = (header.width * header.bits + 31) / 32 * 4;
  if (header.pixels > bytes.size() ||
      header.height > static_cast<std::int64_t>(bytes.size() - header.pixels) / stride) {
    throw Error(ErrorCode::format, fmt::format("{}: truncated BMP: {} × {} pixels cannot be in {}", name,
                                               header.width, header.height, count_of(bytes.size(), "byte")));
  }
  std::array<std::array<char, 3>, 256> palette{};  // RGB
  bool grey = header.bits <= 8;
  for (std::size_t i = 0; i < header.colors; ++i) {
    const char* bgr = bytes.data() + header.palette + 4 * i;
    palette[i] = {bgr[2], bgr[1], bgr[0]};
    grey = grey && bgr[0] == bgr[1] && bgr[1] == bgr[2];
  }
  Samples out;
  out.width = header.width;
  out.height = header.height;
  out.channels = grey ? 1 : header.alpha ? 4 : 3;
  out.bytes.resize(static_cast<std::size_t>(out.width * out.height * out.channels));
  char* to = out.bytes.data();
  for (std::int64_t y = 0; y < out.height; ++y) {
    const std::int64_t stored = header.top_down ? y : out.height - 1 - y;
    const char* row = bytes.data() + header.pixels + stored * stride;
    for (std::int64_t x = 0; x < out.width; ++x, to += out.channels) {
      if (header.bits <= 8) {
        const std::int64_t bit = x * header.bits;
        const int byte = static_cast<unsigned char>(row[bit / 8]);
        const int index = byte >> (8 - header.bits - bit % 8) & ((1 << header.bits) - 1);
        if (static_cast<std::size_t>(index) >= header.colors) {
          throw Error(ErrorCode::format, fmt::format("{}: broken BMP: colour {} of a palette of {}", name,
                                                     index, header.colors));
        }
        std::copy_n(palette[static_cast<std::size_t>(index)].data(), out.channels, to);
        continue;
      }
      const char* bgr = row + x * header.bits / 8;
      to[0] = bgr[2];
      to[1] = bgr[1];
      to[2] = bgr[0];
      if (header.alpha) to[3] = bgr[3];
    }
  }
  return out;
}

std::string encode_bmp(const Samples& samples) {
  std::string out = "BM";
  const auto put = [&](std::int64_t value, int width) {
    for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i) & 255);
  };
  const bool grey = samples.channels == 1;
  const std::int64_t row = samples.width * samples.channels, stride = (row + 3) / 4 * 4;
  const std::int64_t begin = kFileHeader + kInfoHeader + (grey ? 1024 : 0);
  put(begin + stride * samples.height, 4);
  put(0, 4);
  put(begin, 4);
  put(kInfoHeader, 4);
  put(samples.width, 4);
  put(samples.height, 4);
  put(1, 2);
  put(grey ? 8 : 24, 2);
  for (int i = 0; i < 6; ++i) put(0, 4);
  for (int i = 0; grey && i < 256; ++i) put(i * 0x010101, 4);
  for (std::int64_t y = samples.height - 1; y >= 0; --y) {
    const char* from = samples.bytes.data() + y * row;
    for (std::int64_t x = 0; x < row; x += samples.channels) {
      for (int c = samples.channels - 1; c >= 0; --c) out += from[x + c];
    }
    out.append(static_cast<std::size_t>(stride - row), '\0');
  }
  return out;
}

}  // namespace parsimony
