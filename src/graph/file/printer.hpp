// Text output in small pieces.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "parsimony/core/file.hpp"

namespace parsimony::graph {

/// Gathers small pieces of text for an AtomicFile. Call flush() at the end: the rest is not written
/// otherwise.
class Printer {
 public:
  explicit Printer(AtomicFile& out) : out_(out) {}
  Printer& operator<<(std::string_view text) {
    buffer_ += text;
    return *this;
  }
  Printer& operator<<(char c) {
    buffer_ += c;
    return *this;
  }
  /// The shortest text that reads as the same number.
  template <class Number>
  Printer& number(Number value) {
    char text[32];
    buffer_.append(text, std::to_chars(text, text + sizeof text, value).ptr - text);
    return *this;
  }
  /// A field of CSV (RFC 4180), in quotes where it has commas, semicolons, blanks, quotes or line ends, or
  /// may look like a comment.
  Printer& csv_field(std::string_view text) {
    if (!text.empty() && text.find_first_of(" \t,;\"\r\n#%/") == text.npos) return *this << text;
    return quoted(text);
  }
  /// A field between tabs, in quotes only where it would otherwise be read as something else.
  Printer& tsv_field(std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of("\t\"\r\n") == text.npos &&
                       text.find_first_of("#%/") != 0 && text.front() != ' ' && text.back() != ' ';
    return plain ? *this << text : quoted(text);
  }
  Printer& quoted(std::string_view text) {
    buffer_ += '"';
    for (const char c : text) {
      if (c == '"') buffer_ += '"';
      buffer_ += c;
    }
    buffer_ += '"';
    return *this;
  }
  void end_line() {
    buffer_ += '\n';
    if (buffer_.size() >= 1 << 20) flush();
  }
  void flush() {
    out_.write(buffer_);
    buffer_.clear();
  }

 private:
  AtomicFile& out_;
  std::string buffer_;
};

}  // namespace parsimony::graph
