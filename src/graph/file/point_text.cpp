// Points in text: CSV by RFC 4180, its relatives with semicolons and tabs, and columns of numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "graph/file/point_formats.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return text.substr(0, 0);
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

// A number, also with a comma as its decimal sign.
bool parse_coordinate(std::string_view text, double& value) {
  char changed[64];
  const auto comma = text.find(',');
  if (comma != text.npos) {
    if (text.size() > sizeof changed || text.find('.') != text.npos) return false;
    std::copy(text.begin(), text.end(), changed);
    changed[comma] = '.';
    text = {changed, text.size()};
  }
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

class PointText {
 public:
  PointText(std::string_view bytes, const MemoryBudget& budget, const Context& context)
      : text_(budget.file, bytes), budget_(budget), context_(context) {}

  Matrix<double> parse() {
    if (text_.bytes.substr(0, 14) == "%%MatrixMarket") {
      text_.fail(
          {text_.bytes.data(), "a Matrix Market file, which is a graph; points are .npy, .npz or text"});
    }
    std::vector<double> values;
    std::int64_t rows = 0, lines = 0;
    while (next_line()) {
      if ((++lines & 0xfff) == 0) context_.check_cancelled();
      if (separator_ == '\0') separator_ = separator_of(line_);
      split();
      if (lines == 1 && is_header()) continue;
      if (columns_ == 0) columns_ = fields_.size();
      if (fields_.size() != columns_) {
        text_.fail(
            {line_.data(), fmt::format("{} columns, but {} in the lines before; every point has as many",
                                       fields_.size(), columns_)});
      }
      for (std::size_t j = 0; j < fields_.size(); ++j) values.push_back(coordinate(j));
      ++rows;
      budget_.require(static_cast<std::int64_t>(text_.bytes.size() + 8 * values.capacity()));
    }
    if (rows == 0) text_.fail({text_.bytes.data(), "no line of numbers; a point is a line of them"});
    return matrix(values, rows);
  }

 private:
  // Moves to the next line that is neither empty nor a comment.
  bool next_line() {
    while (at_ < text_.bytes.size()) {
      const std::size_t end = std::min(text_.bytes.find('\n', at_), text_.bytes.size());
      line_ = text_.bytes.substr(at_, end - at_);
      at_ = end + 1;
      const std::string_view content = without_blanks(line_);
      if (!content.empty() && content[0] != '#') return true;
    }
    return false;
  }

  // The first of tab, semicolon and comma outside of quotes; else blanks.
  static char separator_of(std::string_view line) {
    for (const char candidate : {'\t', ';', ','}) {
      bool quoted = false;
      for (const char c : line) {
        quoted = quoted != (c == '"');
        if (c == candidate && !quoted) return candidate;
      }
    }
    return ' ';
  }

  void split() {
    fields_.clear();
    std::string_view rest = line_;
    if (separator_ == ' ') rest = without_blanks(rest);
    while (true) {
      while (!rest.empty() && (rest[0] == ' ' || (rest[0] == '\t' && separator_ != '\t')))
        rest.remove_prefix(1);
      std::string_view field;
      if (rest.starts_with('"')) {
        std::size_t end = 1;
        while ((end = rest.find('"', end)) != rest.npos && rest.substr(end + 1, 1) == "\"") end += 2;
        if (end == rest.npos) text_.fail({rest.data(), "a quote does not end in its line"});
        field = without_blanks(rest.substr(1, end - 1));
        rest.remove_prefix(end + 1);
        const std::size_t next = end_of_field(rest);
        if (!without_blanks(rest.substr(0, next)).empty()) {
          text_.fail({rest.data(), "text after a closing quote; a separator must follow"});
        }
        rest.remove_prefix(next);
      } else {
        const std::size_t next = end_of_field(rest);
        field = without_blanks(rest.substr(0, next));
        rest.remove_prefix(next);
      }
      fields_.push_back(field);
      if (rest.empty()) return;
      rest.remove_prefix(1);
    }
  }

  std::size_t end_of_field(std::string_view rest) const {
    return std::min(separator_ == ' ' ? rest.find_first_of(" \t\r") : rest.find(separator_), rest.size());
  }

  // Whether the first line has names. Its columns then tell how many the points have.
  bool is_header() {
    std::size_t numbers = 0, empty = 0;
    double value = 0;
    for (const std::string_view field : fields_) {
      numbers += parse_coordinate(field, value);
      empty += field.empty();
    }
    const bool has_index =
        fields_.size() > 1 && fields_[0].empty() && empty == 1 && (numbers == 0 || counts_from_zero(1));
    if (!has_index && numbers > 0) {
      if (numbers + empty < fields_.size()) {
        text_.fail(
            {line_.data(), fmt::format("names and numbers in the first line: {}; it must hold one of both",
                                       in_quotes(without_blanks(line_)))});
      }
      if (numbers == fields_.size() && numbers > 1 && counts_from_zero(0)) {
        context_.log(LogLevel::warning,
                     fmt::format("{}: the first line, 0 to {}, is taken for a point; delete it if it numbers "
                                 "the columns",
                                 text_.name, numbers - 1));
      }
      return false;
    }
    columns_ = fields_.size();
    index_ = has_index;
    context_.log(LogLevel::info, fmt::format("{}: the first line has the names of the columns: {}",
                                             text_.name, in_quotes(without_blanks(line_))));
    if (index_) {
      context_.log(LogLevel::warning,
                   fmt::format("{}: column 1 has no name and is left out, as the index that tables are "
                               "written with",
                               text_.name));
    }
    return true;
  }

  // Whether the fields from the first on are 0, 1, …
  bool counts_from_zero(std::size_t first) const {
    double value = 0;
    for (std::size_t j = first; j < fields_.size(); ++j) {
      if (!parse_coordinate(fields_[j], value) || value != static_cast<double>(j - first)) return false;
    }
    return true;
  }

  double coordinate(std::size_t column) const {
    const std::string_view field = fields_[column];
    if (index_ && column == 0) return 0;
    double value = 0;
    if (parse_coordinate(field, value)) return value;
    text_.fail({field.empty() ? line_.data() : field.data(),
                field.empty()
                    ? fmt::format("column {} is empty; a point has a number in every column", column + 1)
                    : fmt::format("column {} is {}, which is not a number of float64", column + 1,
                                  in_quotes(field))});
  }

  Matrix<double> matrix(const std::vector<double>& values, std::int64_t rows) const {
    const auto columns = static_cast<std::int64_t>(columns_), first = std::int64_t{index_};
    budget_.require(static_cast<std::int64_t>(text_.bytes.size() + 8 * values.capacity()) +
                    8 * rows * (columns - first));
    Matrix<double> out(rows, columns - first);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy_n(values.data() + i * columns + first, columns - first, out.row(i).data());
    }
    return out;
  }

  Text text_;
  const MemoryBudget& budget_;
  const Context& context_;
  std::size_t at_ = 0;
  std::string_view line_;
  char separator_ = '\0';
  std::vector<std::string_view> fields_;  // without blanks and quotes around them
  std::size_t columns_ = 0;
  bool index_ = false;
};

}  // namespace

Matrix<double> parse_point_text(std::string_view bytes, const MemoryBudget& budget, const Context& context) {
  return PointText(bytes, budget, context).parse();
}

}  // namespace parsimony::graph
