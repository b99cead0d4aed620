// Implements pnm_format.hpp.
#include <fmt/format.h>

#include "core/images/pnm_format.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

class Parser {
 public:
  Parser(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: byte {}: {}", name_, at_, what));
  }

  // Comments run from # to the end of the line, anywhere in the header.
  int number(const char* what, int low, int high) {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      } else {
        ++at_;
      }
    }
    if (at_ == bytes_.size()) fail(fmt::format("truncated PNM: it ends before {}", what));
    const std::size_t first = at_;
    std::int64_t value = 0;
    while (at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9' && value <= high) {
      value = 10 * value + (bytes_[at_++] - '0');
    }
    const bool ends = at_ == bytes_.size() || is_space(bytes_[at_]) || bytes_[at_] == '#';
    if (at_ == first || value > high || value < low || !ends) {
      at_ = first;
      fail(fmt::format("{} must be a number of {} to {}", what, low, high));
    }
    return static_cast<int>(value);
  }

  void skip(std::size_t count) { at_ += count; }
  std::string_view rest() const { return bytes_.substr(std::min(at_, bytes_.size())); }

 private:
  std::string_view bytes_;
  const std::string& name_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         (is_space(bytes[2]) || bytes[2] == '#');
}

Samples decode_pnm(std::string_view bytes, const std::string& name, std::int64_t max_bytes, int& most) {
  const char kind = bytes[1];
  if (kind == '1' || kind == '4' || kind == '7') {
    throw Error(ErrorCode::unsupported, fmt::format("{}: P{} files are not read; P2, P3, P5 and P6 are (PGM "
                                                    "and PPM)",
                                                    name, kind));
  }
  constexpr int kMost = 1 << 28;
  Parser parser(bytes, name);
  parser.skip(2);
  Samples out;
  out.width = parser.number("the width", 1, kMost);
  out.height = parser.number("the height", 1, kMost);
  most = parser.number("the maximum", 1, 65535);
  out.channels = kind == '3' || kind == '6' ? 3 : 1;
  out.bits = most < 256 ? 8 : 16;
  check_image_size(name, out.width, out.height, out.channels, max_bytes);
  parser.skip(1);  // one blank behind the maximum

  const bool text = kind == '2' || kind == '3';
  const auto count = static_cast<std::size_t>(out.width * out.height * out.channels);
  const std::size_t width = most < 256 ? 1 : 2;
  const std::size_t there = parser.rest().size();
  // A sample in text takes a digit and a blank, but for the last.
  if (there < (text ? 2 * count - 1 : width * count)) {
    throw Error(ErrorCode::format, fmt::format("{}: truncated PNM: {} × {} pixels cannot be in {} bytes",
                                               name, out.width, out.height, there));
  }
  out.bytes.resize(count * width);
  for (std::size_t i = 0; i < count; ++i) {
    char* at = out.bytes.data() + i * width;
    if (text) {
      const int sample = parser.number("a sample", 0, most);
      if (width == 2) at[0] = static_cast<char>(sample >> 8);
      at[width - 1] = static_cast<char>(sample & 255);
      continue;
    }
    const auto* stored = reinterpret_cast<const unsigned char*>(parser.rest().data());
    const int sample = width == 1 ? stored[0] : stored[0] << 8 | stored[1];
    if (sample > most) parser.fail(fmt::format("the sample {} is above the maximum {}", sample, most));
    for (std::size_t b = 0; b < width; ++b) at[b] = static_cast<char>(stored[b]);
    parser.skip(width);
  }
  for (const char c : parser.rest()) {
    if (!is_space(c)) parser.fail("more than one image, or bytes behind it");
  }
  return out;
}

std::string encode_pnm(const Samples& samples) {
  return fmt::format("P{}\n{} {}\n{}\n", samples.channels == 1 ? 5 : 6, samples.width, samples.height,
                     samples.bits == 8 ? 255 : 65535) +
         samples.bytes;
}

}  // namespace parsimony
