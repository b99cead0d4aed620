#include "graph/file/edge_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace parsimony::graph {
namespace {

using Row = std::vector<std::string_view>;

struct RowPiece {
  std::vector<std::string_view> ids;
  std::vector<float> weights;
  std::list<std::string> unquoted;
  Comments comments;
  std::string decimal_comma;  // the first weight with one
};

class TableReader {
 public:
  TableReader(const Text& text, const ReadOptions& options, const Context& context)
      : text_(text),
        options_(options),
        context_(context),
        separator_(find_separator(text, context)),
        head_(read_head(text, separator_, 100)) {
    if (head_.rows.empty()) {
      if (head_.fault) text.fail(*head_.fault);
      LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
      cursor.next_filled_line();
      const Comments& comments = cursor.comments();
      throw Error(
          ErrorCode::format,
          fmt::format("{}: no edges; an edge is a line of two node ids and perhaps a weight{}", text.name,
                      comments.like_data ? fmt::format("; {} lines begin with #, % or //, as comments do: "
                                                       "put ids that begin so in quotes",
                                                       comments.count)
                                         : ""));
    }
  }

  EdgeTable run() {
    try {
      if (options_.format == FileFormat::automatic && options_.columns.empty()) {
        refuse_points(text_, head_ids(), separator_);
      }
      columns_ = edge_columns(text_, head_, options_);
    } catch (const TextFault& fault) {
      text_.fail(fault);
    }
    read_body();
    if (!fault_ && columns_.names && !is_header()) {  // names of nodes after all
      head_.rows.resize(1);
      columns_ = edge_columns(text_, head_, options_);
      read_body();
    }
    const bool header = is_header();
    pieces_.emplace_back();
    if (!header) read_first();
    if (fault_) throw *fault_;
    say(header);
    EdgeTable out{.weighted = columns_.weighted()};
    std::rotate(pieces_.begin(), pieces_.end() - 1, pieces_.end());  // the first line comes first
    for (RowPiece& piece : pieces_) {
      out.edges.ids.push_back(std::move(piece.ids));
      out.edges.weights.push_back(std::move(piece.weights));
      out.unquoted.push_back(std::move(piece.unquoted));
    }
    if (options_.format == FileFormat::automatic) refuse_points(text_, out.edges.ids, separator_);
    if (out.weighted && !columns_.sure_weight) say_times(text_, out.edges.weights, context_);
    return out;
  }

 private:
  Words head_ids() const {
    Words ids(1);
    for (std::size_t r = all_words(head_.rows[0]); r < head_.rows.size(); ++r) {
      const Row& row = head_.rows[r];
      ids[0].insert(ids[0].end(), row.begin(), row.begin() + std::min<std::ptrdiff_t>(2, std::ssize(row)));
    }
    return ids;
  }

  [[noreturn]] void fail_columns(const Row& row, const char* at) const {
    const int needed = std::max({columns_.source, columns_.target, columns_.weight}) + 1;
    throw TextFault{
        at, fmt::format("{} column{}; every line needs {}", row.size(), row.size() == 1 ? "" : "s",
                        columns_.count == 0 ? fmt::format("{} for the columns {}", needed, options_.columns)
                                            : fmt::format("{}, as the first edge has", columns_.count))};
  }

  std::string_view field(const Row& row, int place, const char* at) const {
    if (place >= std::ssize(row)) fail_columns(row, at);
    if (row[static_cast<std::size_t>(place)].empty()) throw TextFault{at, "a column is empty"};
    return row[static_cast<std::size_t>(place)];
  }

  float weight(std::string_view word, const char* at, std::string& decimal_comma) const {
    try {
      if (separator_ == ',' || separator_ == ' ' || word.find(',') == word.npos)
        return parse_weight(word, at);
      if (decimal_comma.empty()) decimal_comma = word;
      std::string with_point(word);
      with_point[word.find(',')] = '.';
      return parse_weight(word.find('.') == word.npos ? with_point : word, at);
    } catch (TextFault& fault) {
      fault.message += "; option unweighted leaves weights out";
      throw;
    }
  }

  void add_row(const Row& row, const char* at, RowPiece& out) const {
    for (const int place : {columns_.source, columns_.target}) {
      out.ids.push_back(field(row, place, at));
      check_printable(out.ids.back(), at);
    }
    if (columns_.weighted()) {
      out.weights.push_back(weight(field(row, columns_.weight, at), at, out.decimal_comma));
    }
    if (columns_.count > 0 && std::ssize(row) > columns_.count) {
      if (std::find(row.begin(), row.end(), "") != row.end()) throw TextFault{at, "a column is empty"};
      fail_columns(row, at);
    }
  }

  // All rows but the first.
  void read_body() {
    pieces_ = std::vector<RowPiece>(piece_count(text_.bytes.substr(head_.second)));
    fault_.reset();
    try {
      parse_lines(text_, head_.second, context_, [&](LineCursor& cursor, std::int64_t piece) {
        RowCursor rows(cursor, separator_);
        RowPiece out;
        while (rows.next()) add_row(rows.fields(), rows.line(), out);
        out.unquoted = std::move(rows.unquoted);
        out.comments = cursor.comments();
        pieces_[piece] = std::move(out);
      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::format) throw;
      fault_ = error;  // one of the first line comes before it
    }
  }

  void read_first() {
    const char* at = text_.bytes.data() + head_.begins[0];
    try {
      add_row(head_.rows[0], at, pieces_.back());
    } catch (const TextFault& fault) {
      text_.fail(fault);
    }
    pieces_.back().unquoted = std::move(head_.unquoted);
  }

  // Whether the first line has words where the others have numbers, or names that no node has.
  bool is_header() const {
    if (columns_.header) return true;
    const Row& first = head_.rows[0];
    if (!all_words(first) || head_.rows.size() < 2) return false;
    if (columns_.numbered) return true;
    if (columns_.weighted()) {
      const Row& second = head_.rows[1];
      const auto place = static_cast<std::size_t>(columns_.weight);
      if (place < second.size() && as_number(second[place], separator_ != ',')) return true;
    }
    if (fault_) return columns_.names;
    const auto all_ids = [&](auto holds) {
      return std::all_of(pieces_.begin(), pieces_.end(), [&](const RowPiece& piece) {
        return std::all_of(piece.ids.begin(), piece.ids.end(), holds);
      });
    };
    if (all_ids([&](auto id) { return as_number(id, separator_ != ',').has_value(); })) return true;
    return columns_.names &&
           all_ids([&](auto id) { return std::find(first.begin(), first.end(), id) == first.end(); });
  }

  // The names of the columns that are read, if there are others.
  std::string used_columns() const {
    const Row& names = head_.rows[0];
    const int shift = unnamed_columns(head_);
    const int first =
        std::min({columns_.source, columns_.target, columns_.weighted() ? columns_.weight : shift});
    if (std::ssize(names) == 2 + columns_.weighted() || first < shift) return {};
    const auto name = [&](int place) { return in_quotes(names[static_cast<std::size_t>(place - shift)]); };
    return fmt::format("; edges are the columns {} and {}{}", name(columns_.source), name(columns_.target),
                       columns_.weighted() ? fmt::format(", weights {}", name(columns_.weight)) : "");
  }

  void say(bool header) const {
    if (header) say_header(text_, head_, context_, used_columns());
    if (!columns_.message.empty()) {
      context_.log(LogLevel::warning, fmt::format("{}: {}", text_.name, columns_.message));
    }
    Comments comments;
    std::string decimal_comma;
    for (const RowPiece& piece : pieces_) {
      comments.add(piece.comments);
      if (decimal_comma.empty()) decimal_comma = piece.decimal_comma;
    }
    say_leading_comments(text_, head_, context_);
    say_comments(text_, comments, context_);
    if (decimal_comma.empty()) return;
    // 1,500 may be one and a half, or fifteen hundred.
    const bool doubtful = separator_ != ';' || decimal_comma.size() - decimal_comma.find(',') == 4;
    context_.log(doubtful ? LogLevel::warning : LogLevel::info,
                 fmt::format("{}: the comma of {} is taken for a decimal point", text_.name,
                             in_quotes(decimal_comma)));
  }

  const Text& text_;
  const ReadOptions& options_;
  const Context& context_;
  char separator_;
  TableHead head_;
  EdgeColumns columns_;
  std::vector<RowPiece> pieces_;
  std::optional<Error> fault_;
};

}  // namespace

EdgeTable read_edge_table(const Text& text, const ReadOptions& options, const Context& context) {
  return TableReader(text, options, context).run();
}

void refuse_points(const Text& text, const Words& ids, char separator) {
  std::string_view fraction;
  for (const auto& piece : ids) {
    for (const std::string_view id : piece) {
      const auto number = as_number(id, separator != ',');
      if (!number) return;
      if (fraction.empty() && *number != std::floor(*number)) fraction = id;
    }
  }
  if (fraction.empty()) return;
  throw Error(
      ErrorCode::format,
      fmt::format("{}: looks like points: ids are fractions, as {}; cluster them with --points, or name "
                  "the format edge-list if they are ids",
                  text.name, in_quotes(fraction)));
}

void say_times(const Text& text, const std::vector<std::vector<float>>& weights, const Context& context) {
  TimeSigns signs;
  for (const auto& piece : weights) {
    for (const float weight : piece) signs.add(weight);
  }
  if (!signs.look_like_times()) return;
  context.log(
      LogLevel::warning,
      fmt::format("{}: the weights, {:.10g} to {:.10g}, look like times or numbers of the lines; option "
                  "unweighted leaves them out",
                  text.name, signs.low(), signs.high()));
}

void say_points(const Text& text, std::int64_t nodes, std::int64_t lines, const Context& context) {
  if (lines < 20 || 10 * nodes < 12 * lines) return;
  context.log(
      LogLevel::warning,
      fmt::format("{}: {} different ids in {} lines: if the lines are points, cluster them with --points",
                  text.name, nodes, lines));
}

}  // namespace parsimony::graph
