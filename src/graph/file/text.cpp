#include "graph/file/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "graph/assemble.hpp"

namespace parsimony::graph {
namespace {

// For a number other than zero: from_chars reports both ends of the range of doubles alike.
bool below_one(std::string_view number) {
  const std::size_t exponent_at = number.find_first_of("eE");
  const std::string_view digits = number.substr(0, exponent_at);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(digits.find_first_not_of("+-0."));
  std::int64_t exponent = 0;
  if (exponent_at != number.npos) {
    std::string_view text = number.substr(exponent_at + 1);
    if (text.substr(0, 1) == "+") text.remove_prefix(1);
    const auto status = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (status.ec != std::errc{}) return text.substr(0, 1) == "-";
  }
  // The decimal point moves by the exponent; the first digit must end up behind it.
  return exponent < first - point + (first < point);
}

// Number of bytes of the UTF-8 character at the begin of the text; 0 for a control character or no character.
std::size_t printable_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f;
  const std::size_t size = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size > text.size() || (first == 0xc2 && size == 2 && byte(1) < 0xa0)) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

std::string in_quotes(std::string_view word) {
  constexpr std::size_t kMost = 40;
  std::string out = "'";
  std::size_t at = 0;
  while (at < std::min(word.size(), kMost)) {
    const std::size_t size = printable_size(word.substr(at));
    out += size > 0 ? std::string(word.substr(at, size))
                    : fmt::format("\\x{:02x}", static_cast<unsigned char>(word[at]));
    at += std::max<std::size_t>(size, 1);
  }
  return out + (at < word.size() ? "…'" : "'");
}

void Text::fail(const TextFault& fault) const {
  const auto line = first_line + std::count(bytes.data(), fault.at, '\n');
  throw Error(fault.code, fmt::format("{}:{}: {}", name, line, fault.message));
}

Text::Text(std::string file, std::string_view content) : name(std::move(file)), bytes(content) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (bytes.substr(0, kByteOrderMark.size()) == kByteOrderMark) bytes.remove_prefix(kByteOrderMark.size());
}

void end_lines_with_newlines(std::string& text) {
  const std::size_t first = text.find_first_of("\r\n");
  if (first == text.npos || text[first] == '\n') return;
  const std::size_t behind = text.find_first_not_of('\r', first);
  if (behind != text.npos && text[behind] == '\n') return;
  for (std::size_t at = first; at != text.npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') text[at] = '\n';
  }
}

std::int64_t Text::count(std::string_view word) const {
  std::int64_t out = 0;
  for (auto at = bytes.find(word); at != std::string_view::npos; at = bytes.find(word, at + word.size()))
    ++out;
  return out;
}

std::int64_t Text::count_lines(const Context& context) const {
  const auto newlines = [&](std::int64_t begin, std::int64_t end) {
    return static_cast<double>(std::count(bytes.begin() + begin, bytes.begin() + end, '\n'));
  };
  const double count = context.sum_blocks(static_cast<std::int64_t>(bytes.size()), kTextPiece, newlines);
  return static_cast<std::int64_t>(count) + (!bytes.empty() && bytes.back() != '\n');
}

LineCursor::LineCursor(std::string_view text, std::int64_t begin, std::int64_t end)
    : at_(text.data() + begin), stop_(text.data() + end), end_(text.data() + text.size()) {
  // A line that starts before this piece belongs to the piece before.
  if (begin > 0 && at_[-1] != '\n') {
    const void* found = std::memchr(at_, '\n', stop_ - at_);
    at_ = found ? static_cast<const char*>(found) + 1 : stop_;
  }
  line_ = at_;
}

void Comments::add(std::string_view line) {
  const std::size_t sign = line.front() == '/' ? 2 : 1;
  if (count++ == 0) first = line.data();
  like_data = like_data || (line.size() > sign && line[sign] != ' ' && line[sign] != '\t');
}

void Comments::add(const Comments& later) {
  if (!first) first = later.first;
  count += later.count;
  like_data = like_data || later.like_data;
}

bool LineCursor::next_filled_line() {
  while (next_line()) {
    skip_blanks();
    if (at_line_end()) continue;
    if (!starts_with("#") && !starts_with("%") && !starts_with("//")) return true;
    comments_.add(rest_of_line());
  }
  return false;
}

bool LineCursor::next_entry() {
  if (!next_filled_line()) return false;
  if (*at_ == ',') throw TextFault{at_, "a column is empty"};
  return true;
}

int LineCursor::count_fields() {
  int count = 0;
  for (; !at_line_end(); next_field()) {
    word();
    ++count;
  }
  return count;
}

std::string_view LineCursor::printable_word() {
  const std::string_view field = word();
  for (const char c : field) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      throw TextFault{field.data(),
                      fmt::format("{} has control characters; is this a text file?", in_quotes(field))};
    }
  }
  return field;
}

std::int64_t LineCursor::integer(const char* what, std::int64_t low, std::int64_t high) {
  const char* begin = at_;
  std::int64_t value = 0;
  if (at_line_end()) throw TextFault{begin, fmt::format("{} is missing", what)};
  if (!integer(value))
    throw TextFault{begin, fmt::format("{} {} is not an integer of 64 bits", what, in_quotes(word()))};
  if (value < low || value > high) {
    throw TextFault{begin, fmt::format("{} {} is out of range; must be {} to {}", what, value, low, high)};
  }
  return value;
}

float parse_weight(std::string_view field, const char* at) {
  double value = 0;
  const char* from = field.data() + (field.size() > 1 && field[0] == '+' && field[1] != '-');
  const auto [after, error] = std::from_chars(from, field.data() + field.size(), value);
  if (field.empty() || after != field.data() + field.size() || error == std::errc::invalid_argument) {
    throw TextFault{at, fmt::format("weight {} is not a number", in_quotes(field))};
  }
  if (error == std::errc::result_out_of_range) {
    const double beyond = below_one(field) ? std::numeric_limits<double>::min() : HUGE_VAL;
    value = *from == '-' ? -beyond : beyond;
  }
  float out = 0;
  if (!to_weight(value, out)) {
    throw TextFault{at, fmt::format("weight {} is not allowed; weights are at least 0 and finite in float32",
                                    in_quotes(field))};
  }
  return out;
}

void parse_lines(const Text& text, std::int64_t from, const Context& context,
                 const std::function<void(LineCursor&, std::int64_t)>& body) {
  const std::string_view rest = text.bytes.substr(from);
  std::vector<std::optional<TextFault>> faults(piece_count(rest));
  context.for_blocks(static_cast<std::int64_t>(rest.size()), kTextPiece,
                     [&](std::int64_t begin, std::int64_t end) {
                       LineCursor cursor(rest, begin, end);
                       try {
                         body(cursor, begin / kTextPiece);
                       } catch (TextFault& fault) {
                         faults[begin / kTextPiece] = std::move(fault);
                       }
                     });
  for (const auto& fault : faults) {
    if (fault) text.fail(*fault);
  }
}

}  // namespace parsimony::graph
