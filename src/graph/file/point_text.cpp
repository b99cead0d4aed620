// Points in text: CSV by RFC 4180, its relatives with semicolons and tabs, and columns of numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/count_of.hpp"
#include "graph/file/point_formats.hpp"
#include "graph/file/table.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

class PointText {
 public:
  PointText(std::string_view bytes, const MemoryBudget& budget, const Context& context)
      : text_(budget.file, bytes), budget_(budget), context_(context) {}

  Matrix<double> parse() {
    if (text_.bytes.substr(0, 14) == "%%MatrixMarket") {
      text_.fail(
          {text_.bytes.data(), "a Matrix Market file, which is a graph; points are .npy, .npz or text"});
    }
    try {
      return read_rows();
    } catch (const TextFault& fault) {
      text_.fail(fault);
    }
  }

 private:
  Matrix<double> read_rows() {
    LineCursor lines(text_.bytes, 0, static_cast<std::int64_t>(text_.bytes.size()));
    RowCursor row(lines, find_separator(text_, context_));
    std::vector<double> values;
    std::int64_t rows = 0;
    for (std::int64_t line = 0; row.next(); ++line) {
      if ((line & 0xfff) == 0) context_.check_cancelled();
      if (line == 0 && is_header(row)) continue;
      if (columns_ == 0) columns_ = row.fields().size();
      if (row.fields().size() != columns_) {
        throw TextFault{row.line(), fmt::format("{}, but {} in the lines before; every point has as many",
                                                count_of(row.fields().size(), "column"), columns_)};
      }
      if (values.capacity() - values.size() < columns_) grow(values);
      for (std::size_t j = 0; j < columns_; ++j) values.push_back(coordinate(row, j));
      row.unquoted.clear();
      ++rows;
    }
    if (rows == 0) throw TextFault{text_.bytes.data(), "no line of numbers; a point is a line of them"};
    return matrix(values, rows);
  }

  void grow(std::vector<double>& values) const {
    const std::size_t capacity = 2 * values.capacity() + columns_;
    budget_.require(static_cast<std::int64_t>(8 * capacity));
    values.reserve(capacity);
  }

  // Whether the first line has names. Its columns then tell how many the points have.
  bool is_header(const RowCursor& row) {
    const std::vector<std::string_view>& fields = row.fields();
    const std::string line =
        in_quotes(std::string_view(row.line(), static_cast<std::size_t>(row.line_end() - row.line())));
    std::size_t numbers = 0, empty = 0;
    for (const std::string_view field : fields) {
      numbers += as_number(field, true).has_value();
      empty += field.empty();
    }
    const bool has_index =
        fields.size() > 1 && fields[0].empty() && empty == 1 && (numbers == 0 || counts_from_zero(fields, 1));
    if (!has_index && numbers > 0) {
      if (numbers + empty < fields.size()) {
        throw TextFault{row.line(), fmt::format("names and numbers in the first line: {}; it must hold one "
                                                "of both",
                                                line)};
      }
      if (numbers == fields.size() && numbers > 1 && counts_from_zero(fields, 0)) {
        context_.log(LogLevel::warning,
                     fmt::format("{}: the first line, 0 to {}, is taken for a point; delete it if it numbers "
                                 "the columns",
                                 text_.name, numbers - 1));
      }
      return false;
    }
    columns_ = fields.size();
    index_ = has_index;
    context_.log(LogLevel::info,
                 fmt::format("{}: the first line has the names of the columns: {}", text_.name, line));
    if (index_) {
      context_.log(LogLevel::warning,
                   fmt::format("{}: column 1 has no name and is left out, as the index that tables are "
                               "written with",
                               text_.name));
    }
    return true;
  }

  // Whether the fields from the first on are 0, 1, …
  static bool counts_from_zero(const std::vector<std::string_view>& fields, std::size_t first) {
    for (std::size_t j = first; j < fields.size(); ++j) {
      if (as_number(fields[j], true) != static_cast<double>(j - first)) return false;
    }
    return true;
  }

  double coordinate(const RowCursor& row, std::size_t column) const {
    const std::string_view field = row.fields()[column];
    if (index_ && column == 0) return 0;
    const auto value = as_number(field, true);
    if (value && std::isfinite(*value)) return *value;
    throw TextFault{
        row.line(),
        field.empty()
            ? fmt::format("column {} is empty; a point has a number in every column", column + 1)
            : fmt::format("column {} is {}, which is not a number of float64", column + 1, in_quotes(field))};
  }

  Matrix<double> matrix(const std::vector<double>& values, std::int64_t rows) const {
    const auto columns = static_cast<std::int64_t>(columns_), first = std::int64_t{index_};
    budget_.require(8 * rows * (columns - first));
    Matrix<double> out(rows, columns - first);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy_n(values.data() + i * columns + first, columns - first, out.row(i).data());
    }
    return out;
  }

  Text text_;
  const MemoryBudget& budget_;
  const Context& context_;
  std::size_t columns_ = 0;
  bool index_ = false;
};

}  // namespace

Matrix<double> parse_point_text(std::string_view bytes, const MemoryBudget& budget, const Context& context) {
  return PointText(bytes, budget, context).parse();
}

}  // namespace parsimony::graph
