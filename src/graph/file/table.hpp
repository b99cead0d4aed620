// Text files as tables: the character that separates their columns, quotes as in RFC 4180, header lines.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/file/text.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/processes.hpp"

namespace parsimony::graph {

/// The character that separates columns: a tab, a semicolon or a comma, if nine lines of ten have it, in this
/// order. It then separates alone, and blanks belong to the fields. Else a blank, which stands for blanks,
/// tabs or one comma.
char find_separator(const Text& text, const Context& context);

/// Lines with fields, and how many of them have each separator outside of quotes.
struct SeparatorCounts {
  std::int64_t lines = 0;
  std::array<std::int64_t, 3> with{};
};

/// Those of the lines from `from` on, for a separator that is chosen by several parts of a file.
SeparatorCounts count_separators(const Text& text, std::int64_t from, const Context& context);
char choose_separator(const SeparatorCounts& counts);

/// Cuts the lines of a cursor into fields. A field that begins with a quote ends with one, and holds
/// separators, blanks and, doubled, quotes. Other fields have no blanks around them.
class RowCursor {
 public:
  RowCursor(LineCursor& lines, char separator) : lines_(lines), separator_(separator) {}

  /// Moves to the next line that is neither empty nor a comment. Throws TextFault for quotes that are not
  /// closed, or not at the end of the field.
  bool next();
  /// The fields live as long as the text and `unquoted`.
  const std::vector<std::string_view>& fields() const { return fields_; }
  const char* line() const { return lines_.line(); }
  /// The end of the line in the text.
  const char* line_end() const { return line_end_; }

  std::list<std::string> unquoted;  ///< fields in which quotes were doubled

 private:
  std::string_view quoted_field(std::string_view& rest);
  void cut(std::string_view rest);

  LineCursor& lines_;
  char separator_;
  std::vector<std::string_view> fields_;
  const char* line_end_ = nullptr;
};

/// The first lines of a table, and where the others begin.
struct TableHead {
  std::vector<std::vector<std::string_view>> rows;
  std::vector<std::int64_t> begins;  ///< places of the rows in the text
  std::int64_t second = 0;           ///< end of the first line in the text
  std::list<std::string> unquoted;
  std::optional<TextFault> fault;  ///< the one in the row after these
};

/// The end of the first line that has fields; the end of the text if none has.
std::int64_t end_of_first_row(const Text& text);

/// Reads the first `count` rows, or those before one that has a fault.
TableHead read_head(const Text& text, char separator, std::size_t count);

/// The number that the field is, written with digits; nothing for other words, also for inf and nan. Infinity
/// if float64 cannot hold it, as 1e999. With decimal_comma, one comma may stand for the point.
std::optional<double> as_number(std::string_view field, bool decimal_comma = false);

/// The field as an integer of 64 bits; nothing for one with a plus sign or leading zeros, which is a name.
std::optional<std::int64_t> as_integer(std::string_view field);

/// The words as integers, or nothing if any of them is not a plain integer.
using Words = std::vector<std::vector<std::string_view>>;  // one vector for each piece of the text
std::optional<std::vector<std::vector<std::int64_t>>> as_integers(const Words& words);

/// Whether no field begins as a number does, and any is a word: the shape of a header.
bool all_words(const std::vector<std::string_view>& fields);

/// Letters and digits of a name in lower case: "From Node-Id" is fromnodeid.
std::string plain_name(std::string_view name);

/// Whether a field is a view into the text, so that it has a line there; else a quote in it was doubled.
bool is_part(std::string_view field, std::string_view text);

/// Throws TextFault for control characters: a binary file, or a name that a terminal would obey.
void check_printable(std::string_view field, const char* at);

/// Says that the first line of the text is taken for a header; `used` is added, with the use of its columns.
void say_header(const Text& text, const TableHead& head, const Context& context,
                const std::string& used = {});

/// Says how many lines after the first entry are comments: loudly, if they may be data.
void say_comments(const Text& text, const Comments& comments, const Context& context);
/// The same for parts of a file in several processes, where each has its own part; process 0 says it.
void say_comments_of_all(const Processes& processes, const Text& own, const Comments& comments,
                         const Context& context);

/// Says how many lines before the first entry are comments, if they may be data. Names begin as comments do
/// more often than numbers, so that this is for tables of names.
void say_leading_comments(const Text& text, const TableHead& head, const Context& context);

}  // namespace parsimony::graph
