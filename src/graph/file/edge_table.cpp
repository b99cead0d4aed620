#include "graph/file/edge_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/count_of.hpp"
#include "core/together.hpp"

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
  TableReader(const TablePart& part, const ReadOptions& options, const Context& context)
      : text_(part.head),
        body_(part.body),
        from_(part.from),
        processes_(part.processes),
        options_(options),
        context_(context),
        separator_(separator_of_all()),
        head_(read_head(text_, separator_, 100)) {
    if (head_.rows.empty()) {
      if (head_.fault) text_.fail(*head_.fault);
      LineCursor cursor(text_.bytes, 0, static_cast<std::int64_t>(text_.bytes.size()));
      cursor.next_filled_line();
      const Comments& comments = cursor.comments();
      throw Error(
          ErrorCode::format,
          fmt::format(
              "{}: no edges; an edge is a line of two node ids and perhaps a weight{}", text_.name,
              comments.like_data
                  ? fmt::format("; {} {} with #, % or //, as comments do: put ids that begin so in quotes",
                                count_of(comments.count, "line"), noun_of(comments.count, "begins", "begin"))
                  : ""));
    }
  }

  EdgeTable run() {
    try {
      if (options_.format == FileFormat::automatic && options_.columns.empty()) {
        refuse_points(text_, head_ids(), separator_, one_process());
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
    if (options_.format == FileFormat::automatic) {
      refuse_points(text_, out.edges.ids, separator_, processes_);
    }
    out.doubt = weight_doubt(columns_, out.edges.weights, processes_);
    return out;
  }

 private:
  // The first row is in the head alone.
  char separator_of_all() const {
    Text first = text_;
    first.bytes = text_.bytes.substr(0, static_cast<std::size_t>(end_of_first_row(text_)));
    SeparatorCounts counts = count_separators(body_, from_, context_);
    processes_.sum(counts.with);
    processes_.sum(std::span(&counts.lines, 1));
    const SeparatorCounts more = count_separators(first, 0, context_);
    counts.lines += more.lines;
    for (std::size_t s = 0; s < counts.with.size(); ++s) counts.with[s] += more.with[s];
    return choose_separator(counts);
  }

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
    pieces_ = std::vector<RowPiece>(piece_count(body_.bytes.substr(from_)));
    fault_.reset();
    try {
      together(processes_, [&] {
        parse_lines(body_, from_, context_, [&](LineCursor& cursor, std::int64_t piece) {
          RowCursor rows(cursor, separator_);
          RowPiece out;
          while (rows.next()) add_row(rows.fields(), rows.line(), out);
          out.unquoted = std::move(rows.unquoted);
          out.comments = cursor.comments();
          pieces_[piece] = std::move(out);
        });
      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::format) throw;
      fault_ = error;  // one of the first line comes before it
    }
  }

  // All processes see its faults; it is an edge of process 0.
  void read_first() {
    const char* at = text_.bytes.data() + head_.begins[0];
    try {
      add_row(head_.rows[0], at, pieces_.back());
    } catch (const TextFault& fault) {
      text_.fail(fault);
    }
    pieces_.back().unquoted = std::move(head_.unquoted);
    if (processes_.rank() != 0) pieces_.back() = {};
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
      const bool own = std::all_of(pieces_.begin(), pieces_.end(), [&](const RowPiece& piece) {
        return std::all_of(piece.ids.begin(), piece.ids.end(), holds);
      });
      return !any_of(processes_, !own);
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
    Comments comments;
    std::string decimal_comma;
    for (const RowPiece& piece : pieces_) {
      comments.add(piece.comments);
      if (decimal_comma.empty()) decimal_comma = piece.decimal_comma;
    }
    if (processes_.rank() == 0) {
      if (header) say_header(text_, head_, context_, used_columns());
      if (!columns_.message.empty()) {
        context_.log(LogLevel::warning, fmt::format("{}: {}", text_.name, columns_.message));
      }
      say_leading_comments(text_, head_, context_);
    }
    say_comments_of_all(processes_, body_, comments, context_);
    decimal_comma = first_text(processes_, decimal_comma);
    if (decimal_comma.empty() || processes_.rank() != 0) return;
    // 1,500 may be one and a half, or fifteen hundred.
    const bool doubtful = separator_ != ';' || decimal_comma.size() - decimal_comma.find(',') == 4;
    context_.log(doubtful ? LogLevel::warning : LogLevel::info,
                 fmt::format("{}: the comma of {} is taken for a decimal point", text_.name,
                             in_quotes(decimal_comma)));
  }

  const Text& text_;  // the head
  const Text& body_;
  std::int64_t from_;
  const Processes& processes_;
  const ReadOptions& options_;
  const Context& context_;
  char separator_;
  TableHead head_;
  EdgeColumns columns_;
  std::vector<RowPiece> pieces_;
  std::optional<Error> fault_;
};

}  // namespace

EdgeTable read_edge_table(const TablePart& part, const ReadOptions& options, const Context& context) {
  return TableReader(part, options, context).run();
}

EdgeTable read_edge_table(const Text& text, const ReadOptions& options, const Context& context) {
  return read_edge_table({text, text, end_of_first_row(text), one_process()}, options, context);
}

namespace {

// The first id with a fraction; nothing if any id is not a number.
std::optional<std::string_view> first_fraction(const Words& ids, char separator) {
  std::string_view fraction;
  for (const auto& piece : ids) {
    for (const std::string_view id : piece) {
      const auto number = as_number(id, separator != ',');
      if (!number) return std::nullopt;
      if (fraction.empty() && *number != std::floor(*number)) fraction = id;
    }
  }
  return fraction;
}

}  // namespace

void refuse_points(const Text& text, const Words& ids, char separator, const Processes& processes) {
  const std::optional<std::string_view> own = first_fraction(ids, separator);
  if (any_of(processes, !own)) return;
  const std::string fraction = first_text(processes, std::string(*own));
  if (fraction.empty()) return;
  throw Error(
      ErrorCode::format,
      fmt::format("{}: looks like points: ids are fractions, as {}; cluster them with --points, or name "
                  "the format edge-list if they are ids",
                  text.name, in_quotes(fraction)));
}

std::string weight_doubt(const EdgeColumns& columns, const std::vector<std::vector<float>>& weights,
                         const Processes& processes) {
  if (!columns.doubt.empty() || !columns.weighted() || columns.sure_weight) return columns.doubt;
  TimeSigns own;
  for (const auto& piece : weights) {
    for (const float weight : piece) own.add(weight);
  }
  TimeSigns signs;
  for (const TimeSigns& part : processes.gather(std::span<const TimeSigns>(&own, 1))) signs.append(part);
  if (!signs.look_like_times()) return {};
  return fmt::format(
      "the weights, {:.10g} to {:.10g}, look like times or numbers of the lines; option unweighted leaves "
      "them out",
      signs.low(), signs.high());
}

void say_points(const Text& text, std::int64_t nodes, std::int64_t lines, const Context& context) {
  if (lines < 20 || 10 * nodes < 12 * lines) return;
  context.log(LogLevel::warning,
              fmt::format("{}: {} in {}: if the lines are points, cluster them with --points", text.name,
                          count_of(nodes, "different id"), count_of(lines, "line")));
}

}  // namespace parsimony::graph
