// Implements pnm_format.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
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

  // A bit of P1: bits may stand without blanks between them.
  bool digit() {
    while (at_ < bytes_.size() && is_space(bytes_[at_])) ++at_;
    if (at_ == bytes_.size() || (bytes_[at_] != '0' && bytes_[at_] != '1')) fail("a pixel must be 0 or 1");
    return bytes_[at_++] == '1';
  }

  // The next line of the header of a PAM, without its end.
  std::string_view line() {
    const std::size_t end = std::min(bytes_.find('\n', at_), bytes_.size());
    if (end == bytes_.size()) fail("truncated PAM: it ends before ENDHDR");
    const std::string_view found = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return found;
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

namespace {

constexpr int kMostPixels = 1 << 28;

// The header of a PAM: a name and a number in each line.
void read_pam_header(Parser& parser, Samples& out) {
  int depth = 0;
  while (true) {
    const std::string_view line = parser.line();
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view key = line.substr(0, end);
    if (key == "ENDHDR") break;
    if (key.empty() || key.front() == '#' || key == "TUPLTYPE") continue;
    const std::string value = std::string(line.substr(end)) + "\n", name(key);
    Parser inner(value, name);
    if (key == "WIDTH") out.width = inner.number("the width", 1, kMostPixels);
    if (key == "HEIGHT") out.height = inner.number("the height", 1, kMostPixels);
    if (key == "DEPTH") depth = inner.number("the depth", 1, 4);
    if (key == "MAXVAL") out.most = inner.number("the maximum", 1, 65535);
  }
  if (out.width == 0 || out.height == 0 || depth == 0 || out.most == 0) {
    parser.fail("the header of a PAM has WIDTH, HEIGHT, DEPTH and MAXVAL");
  }
  out.channels = depth;
}

// A bit for a pixel, 1 for black; rows of P4 begin with a byte.
void read_bits(Parser& parser, bool text, Samples& out) {
  out.bytes.resize(static_cast<std::size_t>(out.width * out.height));
  char* to = out.bytes.data();
  if (text) {
    for (std::int64_t i = 0; i < out.width * out.height; ++i) *to++ = parser.digit() ? '\0' : '\xff';
    return;
  }
  const std::int64_t stride = (out.width + 7) / 8;
  const std::string_view stored = parser.rest();
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      *to++ = stored[static_cast<std::size_t>(y * stride + x / 8)] >> (7 - x % 8) & 1 ? '\0' : '\xff';
    }
  }
  parser.skip(static_cast<std::size_t>(stride * out.height));
}

}  // namespace

Samples decode_pnm(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  const char kind = bytes[1];
  Parser parser(bytes, name);
  parser.skip(2);
  Samples out;
  const bool text = kind <= '3', bitmap = kind == '1' || kind == '4';
  if (kind == '7') {
    out.most = 0;
    parser.line();
    read_pam_header(parser, out);
  } else {
    out.width = parser.number("the width", 1, kMostPixels);
    out.height = parser.number("the height", 1, kMostPixels);
    if (!bitmap) out.most = parser.number("the maximum", 1, 65535);
    out.channels = kind == '3' || kind == '6' ? 3 : 1;
    parser.skip(1);  // one blank behind the header
  }
  out.bits = out.most < 256 ? 8 : 16;
  check_image_size(name, out.width, out.height, out.channels, max_bytes);

  const auto count = static_cast<std::size_t>(out.width * out.height * out.channels);
  const std::size_t width = out.most < 256 ? 1 : 2;
  const std::size_t there = parser.rest().size();
  // A sample in text takes a digit and, unless it is a bit, a blank, but for the last.
  const std::size_t least = kind == '1'   ? count
                            : kind == '4' ? static_cast<std::size_t>((out.width + 7) / 8 * out.height)
                            : text        ? 2 * count - 1
                                          : width * count;
  if (there < least) {
    throw Error(ErrorCode::format, fmt::format("{}: truncated PNM: {} × {} pixels cannot be in {}", name,
                                               out.width, out.height, count_of(there, "byte")));
  }
  if (bitmap) read_bits(parser, text, out);
  if (!bitmap) out.bytes.resize(count * width);
  for (std::size_t i = 0; i < count && !bitmap; ++i) {
    char* at = out.bytes.data() + i * width;
    if (text) {
      const int sample = parser.number("a sample", 0, out.most);
      if (width == 2) at[0] = static_cast<char>(sample >> 8);
      at[width - 1] = static_cast<char>(sample & 255);
      continue;
    }
    const auto* stored = reinterpret_cast<const unsigned char*>(parser.rest().data());
    const int sample = width == 1 ? stored[0] : stored[0] << 8 | stored[1];
    if (sample > out.most)
      parser.fail(fmt::format("the sample {} is above the maximum {}", sample, out.most));
    for (std::size_t b = 0; b < width; ++b) at[b] = static_cast<char>(stored[b]);
    parser.skip(width);
  }
  for (const char c : parser.rest()) {
    if (!is_space(c)) parser.fail("more than one image, or bytes behind it");
  }
  return out;
}

std::string encode_pnm(const Samples& samples) {
  const int most = samples.bits == 8 ? 255 : 65535;
  if (samples.channels % 2 == 0) {
    return fmt::format("P7\nWIDTH {}\nHEIGHT {}\nDEPTH {}\nMAXVAL {}\nTUPLTYPE {}\nENDHDR\n", samples.width,
                       samples.height, samples.channels, most,
                       samples.channels == 2 ? "GRAYSCALE_ALPHA" : "RGB_ALPHA") +
           samples.bytes;
  }
  return fmt::format("P{}\n{} {}\n{}\n", samples.channels == 1 ? 5 : 6, samples.width, samples.height, most) +
         samples.bytes;
}

}  // namespace parsimony
