// Text files as lines of fields, cut into pieces that several threads parse; errors name the first bad line.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {

/// A word of a file as messages show it: in quotes and shortened; bytes that are not printable UTF-8 as \xff.
std::string in_quotes(std::string_view word);

/// A fault and its place in the text; parse_lines turns it into an Error.
struct TextFault {
  const char* at;
  std::string message;
  ErrorCode code = ErrorCode::format;
};

struct Text {
  /// Skips the byte order mark that some editors put before UTF-8.
  Text(std::string file, std::string_view content);

  std::string name;  ///< name of the file
  std::string_view bytes;
  std::int64_t first_line = 1;  ///< number of the line at the begin: more for a part of a file

  /// Throws Error: "name:line: message".
  [[noreturn]] void fail(const TextFault& fault) const;
  std::int64_t count_lines(const Context& context) const;  ///< newlines, and a last line without one
  std::int64_t count(std::string_view word) const;         ///< places of the word that do not overlap
};

/// Puts \n for each \r without one behind it, if the first line of the text ends so: those of the Macintosh
/// of old do, and tools that append a line to such a file end it with \n.
void end_lines_with_newlines(std::string& text);

/// Lines that were skipped because they begin with #, % or //.
struct Comments {
  std::int64_t count = 0;
  const char* first = nullptr;  ///< in the text
  bool like_data = false;       ///< some have no blank behind the sign, as ids would

  void add(std::string_view line);
  void add(const Comments& later);
};

/// Reads a weight, finite and at least 0; see to_weight() in graph/assemble.hpp. A fault is at `at`.
float parse_weight(std::string_view field, const char* at);

/// Walks over the lines of a text, or of the piece of it in which they start, and over the fields of a line.
/// Fields are parted by blanks, tabs or one comma; \r before \n is a blank.
class LineCursor {
 public:
  /// All lines that start in [begin, end) of text.
  LineCursor(std::string_view text, std::int64_t begin, std::int64_t end);

  /// Moves to the start of the next line, from any place in this one.
  bool next_line() {
    if (!first_) at_ = line_end() + 1;
    first_ = false;
    line_ = at_;
    return at_ < stop_;
  }
  /// Moves to the first field of the next line that has any and is not a comment (#, %, //).
  bool next_entry();
  /// The same; the first field may be empty.
  bool next_filled_line();
  const Comments& comments() const { return comments_; }
  const char* line() const { return line_; }
  /// The rest of the line, without its end.
  std::string_view rest_of_line() const {
    std::string_view rest(at_, static_cast<std::size_t>(line_end() - at_));
    while (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    return rest;
  }
  const char* at() const { return at_; }
  bool starts_with(std::string_view prefix) const {
    return std::string_view(at_, end_ - at_).substr(0, prefix.size()) == prefix;
  }
  void skip_blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool at_line_end() const { return at_ >= end_ || *at_ == '\n'; }

  /// Moves to the next field, over blanks and at most one comma. After a comma there must be a field.
  void next_field() {
    skip_blanks();
    if (at_ >= end_ || *at_ != ',') return;
    ++at_;
    skip_blanks();
    if (at_line_end() || *at_ == ',') throw TextFault{at_, "a column is empty"};
  }
  /// Reads the field here; there must be one.
  std::string_view word() {
    const char* begin = at_;
    while (!ends_field()) ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  /// The same, of printable characters only: an id.
  std::string_view printable_word();
  /// Counts the fields from here to the end of the line, and moves there.
  int count_fields();
  /// Reads the field here as an integer. Returns false without moving unless it is an integer of 64 bits.
  bool integer(std::int64_t& value) {
    const char* begin = at_;
    const auto [after, error] = std::from_chars(at_, end_, value);
    at_ = after;
    if (error == std::errc{} && ends_field()) return true;
    at_ = begin;
    return false;
  }
  /// The same, of an integer as it is commonly written: one with a leading zero, and -0, are names.
  bool plain_integer(std::int64_t& value) {
    const char* digit = at_ + (at_ < end_ && *at_ == '-');
    if (digit < end_ && *digit == '0' &&
        (digit != at_ || (digit + 1 < end_ && digit[1] >= '0' && digit[1] <= '9'))) {
      return false;
    }
    return integer(value);
  }
  /// Reads the field here as an integer from low to high; `what` names it in the error.
  std::int64_t integer(const char* what, std::int64_t low, std::int64_t high);
  /// Reads the field here as a weight.
  float weight() {
    const char* begin = at_;
    return parse_weight(word(), begin);
  }

 private:
  bool ends_field() const {
    return at_ >= end_ || *at_ == ' ' || *at_ == '\t' || *at_ == ',' || *at_ == '\n' || *at_ == '\r';
  }
  const char* line_end() const {
    const void* found = at_ < end_ ? std::memchr(at_, '\n', end_ - at_) : nullptr;
    return found ? static_cast<const char*>(found) : end_;
  }

  const char* at_;
  const char* line_;
  const char* stop_;  // lines start before this
  const char* end_;   // end of the text
  bool first_ = true;
  Comments comments_;
};

constexpr std::int64_t kTextPiece = 1 << 20;
inline std::int64_t piece_count(std::string_view text) {
  return (static_cast<std::int64_t>(text.size()) + kTextPiece - 1) / kTextPiece;
}

/// Calls body(cursor, piece) for the pieces of text from `from` on, in parallel, each with the lines that
/// start in it. The TextFault that comes first in the text becomes the Error.
void parse_lines(const Text& text, std::int64_t from, const Context& context,
                 const std::function<void(LineCursor& cursor, std::int64_t piece)>& body);

}  // namespace parsimony::graph
