#include "graph/file/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

namespace parsimony::graph {
namespace {

constexpr std::string_view kSeparators = "\t;,";  // the first that is in the lines is taken

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// Which separators a line has outside of quotes. A blank may come before a quote: it may be the separator.
std::array<bool, 3> separators_in(std::string_view line) {
  std::array<bool, 3> found{};
  bool field_begins = true;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"' && field_begins) {
      at = std::min(line.find('"', at + 1), line.size());  // a doubled quote begins another quoted part
      continue;
    }
    const std::size_t which = kSeparators.find(c);
    if (which != kSeparators.npos) found[which] = true;
    field_begins = which != kSeparators.npos || is_blank(c);
  }
  return found;
}

bool begins_as_number(std::string_view field) {
  const std::size_t digit = std::min(field.find_first_not_of("+-.,"), field.size());
  return digit <= 2 && digit < field.size() && field[digit] >= '0' && field[digit] <= '9';
}

}  // namespace

SeparatorCounts count_separators(const Text& text, std::int64_t from, const Context& context) {
  std::vector<SeparatorCounts> counts(piece_count(text.bytes.substr(from)));
  parse_lines(text, from, context, [&](LineCursor& cursor, std::int64_t piece) {
    SeparatorCounts& count = counts[piece];
    while (cursor.next_filled_line()) {
      std::string_view line = cursor.rest_of_line();
      while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
      const auto found = separators_in(line);
      ++count.lines;
      for (std::size_t s = 0; s < found.size(); ++s) count.with[s] += found[s];
    }
  });
  SeparatorCounts all;
  for (const SeparatorCounts& count : counts) {
    all.lines += count.lines;
    for (std::size_t s = 0; s < all.with.size(); ++s) all.with[s] += count.with[s];
  }
  return all;
}

char choose_separator(const SeparatorCounts& counts) {
  for (std::size_t s = 0; s < counts.with.size(); ++s) {
    if (counts.lines > 0 && 10 * counts.with[s] >= 9 * counts.lines) return kSeparators[s];
  }
  return ' ';
}

char find_separator(const Text& text, const Context& context) {
  return choose_separator(count_separators(text, 0, context));
}

std::int64_t end_of_first_row(const Text& text) {
  const auto size = static_cast<std::int64_t>(text.bytes.size());
  LineCursor lines(text.bytes, 0, size);
  if (!lines.next_filled_line()) return size;
  const std::size_t end = text.bytes.find('\n', static_cast<std::size_t>(lines.line() - text.bytes.data()));
  return end == text.bytes.npos ? size : static_cast<std::int64_t>(end) + 1;
}

bool RowCursor::next() {
  fields_.clear();
  if (!lines_.next_filled_line()) return false;
  const std::string_view rest = lines_.rest_of_line();
  line_end_ = rest.data() + rest.size();
  cut(rest);
  return true;
}

std::string_view RowCursor::quoted_field(std::string_view& rest) {
  const char* begin = rest.data();
  rest.remove_prefix(1);
  std::string_view field;
  std::string joined;
  for (;;) {
    const std::size_t quote = rest.find('"');
    if (quote == rest.npos) {
      throw TextFault{begin, fmt::format("the quote before {} is not closed on its line",
                                         in_quotes(std::string_view(begin + 1, rest.data() + rest.size())))};
    }
    field = rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    const bool doubled = !rest.empty() && rest.front() == '"';
    if (doubled || !joined.empty()) joined += field;
    if (!doubled) break;
    joined += '"';
    rest.remove_prefix(1);
  }
  return joined.empty() ? field : std::string_view(unquoted.emplace_back(std::move(joined)));
}

void RowCursor::cut(std::string_view rest) {
  const bool blanks = separator_ == ' ';
  const char mark = blanks ? ',' : separator_;
  const auto ends_field = [&](char c) { return c == mark || (blanks && is_blank(c)); };
  const auto trim = [&] {
    while (!rest.empty() && is_blank(rest.front()) && rest.front() != mark) rest.remove_prefix(1);
  };
  for (;;) {
    trim();
    if (!rest.empty() && rest.front() == '"') {
      fields_.push_back(quoted_field(rest));
      if (!blanks) trim();
      if (!rest.empty() && !ends_field(rest.front())) {
        throw TextFault{rest.data(), fmt::format("{} follows a closing quote; a quote inside of quotes is "
                                                 "doubled",
                                                 in_quotes(rest))};
      }
    } else {
      const auto end = std::find_if(rest.begin(), rest.end(), ends_field);
      std::string_view field = rest.substr(0, end - rest.begin());
      rest.remove_prefix(field.size());
      while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
      fields_.push_back(field);
    }
    trim();
    if (rest.empty()) break;
    if (rest.front() != mark) continue;  // blanks have separated the fields
    rest.remove_prefix(1);
    trim();
    if (!rest.empty()) continue;
    fields_.push_back(rest);
    break;
  }
  // Tabs at the end of a line are blanks.
  while (mark == '\t' && fields_.size() > 1 && fields_.back().empty()) fields_.pop_back();
}

TableHead read_head(const Text& text, char separator, std::size_t count) {
  TableHead head;
  LineCursor lines(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  RowCursor rows(lines, separator);
  try {
    while (head.rows.size() < count && rows.next()) {
      head.rows.push_back(rows.fields());
      head.begins.push_back(rows.line() - text.bytes.data());
      if (head.rows.size() == 1) {
        const auto end = text.bytes.find('\n', head.begins.front());
        head.second = static_cast<std::int64_t>(std::min(end, text.bytes.size() - 1)) + 1;
      }
    }
  } catch (const TextFault& fault) {
    head.fault = fault;
  }
  head.unquoted = std::move(rows.unquoted);
  return head;
}

std::optional<double> as_number(std::string_view field, bool decimal_comma) {
  std::string with_point;
  if (const auto comma = field.find(','); decimal_comma && comma != field.npos) {
    with_point = field;
    with_point[comma] = '.';
    field = with_point;
  }
  if (field.substr(0, 1) == "+") field.remove_prefix(1);
  const std::size_t sign = field.substr(0, 1) == "-";
  const std::size_t digit = sign + (field.substr(sign, 1) == ".");
  if (digit >= field.size() || field[digit] < '0' || field[digit] > '9') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (end != field.data() + field.size() || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc{} ? value : HUGE_VAL;
}

std::optional<std::int64_t> as_integer(std::string_view field) {
  LineCursor cursor(field, 0, static_cast<std::int64_t>(field.size()));
  std::int64_t value = 0;
  if (!cursor.plain_integer(value) || cursor.at() != field.data() + field.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::vector<std::int64_t>>> as_integers(const Words& words) {
  std::vector<std::vector<std::int64_t>> out(words.size());
  for (std::size_t p = 0; p < words.size(); ++p) {
    out[p].reserve(words[p].size());
    for (const std::string_view word : words[p]) {
      const auto value = as_integer(word);
      if (!value) return std::nullopt;
      out[p].push_back(*value);
    }
  }
  return out;
}

bool all_words(const std::vector<std::string_view>& fields) {
  return std::none_of(fields.begin(), fields.end(), begins_as_number) &&
         std::any_of(fields.begin(), fields.end(), [](auto field) { return !field.empty(); });
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') plain += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  return plain;
}

bool is_part(std::string_view field, std::string_view text) {
  return std::less_equal<>{}(text.data(), field.data()) &&
         std::less_equal<>{}(field.data() + field.size(), text.data() + text.size());
}

void check_printable(std::string_view field, const char* at) {
  for (const char c : field) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      throw TextFault{at, fmt::format("{} has control characters; is this a text file?", in_quotes(field))};
    }
  }
}

void say_header(const Text& text, const TableHead& head, const Context& context, const std::string& used) {
  std::vector<std::string> names;
  for (const std::string_view name : head.rows[0]) names.push_back(in_quotes(name));
  const auto line = 1 + std::count(text.bytes.begin(), text.bytes.begin() + head.begins[0], '\n');
  context.log(LogLevel::warning, fmt::format("{}:{}: taken for a header and skipped: {}{}", text.name, line,
                                             fmt::join(names, ", "), used));
}

namespace {

// Comments of a text, with the line of the first.
struct CountedComments {
  std::int64_t count = 0, line = 0;
  bool like_data = false;
};

CountedComments counted(const Text& text, const Comments& comments) {
  if (comments.count == 0) return {};
  const auto line = text.first_line + std::count(text.bytes.data(), comments.first, '\n');
  return {comments.count, line, comments.like_data};
}

void log_comments(const std::string& name, const CountedComments& comments, const char* place,
                  const Context& context) {
  if (comments.count == 0) return;
  const bool one = comments.count == 1;
  context.log(
      comments.like_data ? LogLevel::warning : LogLevel::info,
      fmt::format("{}:{}: {} line{} {} begin{} with #, % or // and {}; put ids that begin so in quotes", name,
                  comments.line, comments.count, one ? "" : "s", place, one ? "s" : "",
                  one ? "is a comment" : "are comments"));
}

constexpr const char* kBetween = "in the middle of the data";

}  // namespace

void say_comments(const Text& text, const Comments& comments, const Context& context) {
  log_comments(text.name, counted(text, comments), kBetween, context);
}

void say_comments_of_all(const Processes& processes, const Text& own, const Comments& comments,
                         const Context& context) {
  const CountedComments mine = counted(own, comments);
  CountedComments all;
  for (const CountedComments& part : processes.gather(std::span<const CountedComments>(&mine, 1))) {
    if (all.count == 0) all.line = part.line;
    all.count += part.count;
    all.like_data = all.like_data || part.like_data;
  }
  if (processes.rank() == 0) log_comments(own.name, all, kBetween, context);
}

void say_leading_comments(const Text& text, const TableHead& head, const Context& context) {
  LineCursor cursor(text.bytes, 0, head.begins[0]);
  cursor.next_filled_line();
  if (cursor.comments().like_data) {
    log_comments(text.name, counted(text, cursor.comments()), "before the data", context);
  }
}

}  // namespace parsimony::graph
