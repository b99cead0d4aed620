#include "graph/file/edge_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace parsimony::graph {
namespace {

using Row = std::vector<std::string_view>;
using Names = std::span<const std::string_view>;

constexpr auto kSources = std::to_array<std::string_view>(
    {"source", "sourceid", "src", "from", "fromid", "fromnode", "fromnodeid", "node1", "nodea"});
constexpr auto kTargets =
    std::to_array<std::string_view>({"target", "targetid", "tgt", "dst", "dest", "destination", "to", "toid",
                                     "tonode", "tonodeid", "node2", "nodeb"});
constexpr auto kWeights = std::to_array<std::string_view>({"weight", "weights", "edgeweight", "w"});
constexpr auto kTimes =
    std::to_array<std::string_view>({"time", "times", "timestamp", "datetime", "date", "year", "ts"});

bool is_one_of(std::string_view name, Names names) {
  return std::find(names.begin(), names.end(), plain_name(name)) != names.end();
}

int find_name(const Row& row, Names names) {
  const auto at = std::find_if(row.begin(), row.end(), [&](auto name) { return is_one_of(name, names); });
  return at == row.end() ? -1 : static_cast<int>(at - row.begin());
}

std::string listed(const Row& row) {
  std::vector<std::string> names;
  for (const std::string_view name : row) names.push_back(in_quotes(name));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> split_choice(const std::string& columns) {
  std::vector<std::string> parts(1);
  for (const char c : columns) c == ',' ? (void)parts.emplace_back() : parts.back().push_back(c);
  for (const std::string& part : parts) {
    if (part.empty() || parts.size() < 2 || parts.size() > 3) {
      refuse(
          fmt::format("columns: '{}' must be source,target or source,target,weight, by names or by numbers "
                      "from 1",
                      columns));
    }
  }
  return parts;
}

// The place of a column by its number from 1, or by its name in the first line.
int place_of(const std::string& column, const TableHead& head, bool& header) {
  const Row& first = head.rows[0];
  const int unnamed = unnamed_columns(head);
  int number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error == std::errc{} && end == column.data() + column.size()) {
    if (number < 1 || number > std::ssize(first) + unnamed) {
      refuse(fmt::format("columns: there is no column {}; the first line has {}", column, first.size()));
    }
    return number - 1;
  }
  header = true;
  auto at = std::find(first.begin(), first.end(), column);
  if (at == first.end()) {
    at = std::find_if(first.begin(), first.end(),
                      [&](auto name) { return plain_name(name) == plain_name(column); });
  }
  if (at == first.end()) {
    refuse(fmt::format("columns: no column is named '{}'; the first line has {}", column, listed(first)));
  }
  return static_cast<int>(at - first.begin()) + unnamed;
}

EdgeColumns chosen_columns(const TableHead& head, const ReadOptions& options) {
  EdgeColumns out;
  const std::vector<std::string> parts = split_choice(options.columns);
  out.source = place_of(parts[0], head, out.header);
  out.target = place_of(parts[1], head, out.header);
  if (parts.size() == 3) out.weight = place_of(parts[2], head, out.header);
  if (out.source == out.target || out.weight == out.source || out.weight == out.target) {
    refuse(fmt::format("columns: '{}' names a column twice", options.columns));
  }
  if (options.unweighted) out.weight = -1;
  return out;
}

// Whether the rows hold numbers at this column that look like times.
bool is_time_column(const TableHead& head, std::size_t column) {
  TimeSigns signs;
  for (std::size_t r = all_words(head.rows[0]); r < head.rows.size(); ++r) {
    if (head.rows[r].size() <= column) return false;
    const auto value = as_number(head.rows[r][column]);
    if (!value) return false;
    signs.add(*value);
  }
  return signs.look_like_times();
}

[[noreturn]] void refuse_columns(const TableHead& head, const Text& text) {
  const Row& row = head.rows[0];
  const Row& last = head.rows.back();
  const bool points = std::all_of(last.begin(), last.end(), [](auto word) { return as_number(word); });
  throw TextFault{
      text.bytes.data() + head.begins[0],
      fmt::format("{} column{}{}{}; an edge has two node ids and, if it is weighted, a weight{}{}",
                  row.size(), row.size() == 1 ? "" : "s", all_words(row) ? ": " : "",
                  all_words(row) ? listed(row) : "",
                  row.size() < 2 ? ""
                                 : "; option columns chooses them: source,target[,weight], by "
                                   "number or name",
                  row.size() > 3 && points ? "; rows of points are clustered with --points" : "")};
}

// By the names of a header; a first column without a name, or without a field in the header, numbers the
// rows.
std::optional<EdgeColumns> named_columns(const TableHead& head, const Text& text,
                                         const ReadOptions& options) {
  const Row& names = head.rows[0];
  if (!all_words(names) || head.rows.size() < 2) return std::nullopt;
  const int unnamed = unnamed_columns(head);
  EdgeColumns out{.count = static_cast<int>(names.size()) + unnamed};
  if (std::ssize(head.rows[1]) > out.count) return std::nullopt;
  const int numbering = unnamed == 1 || names[0].empty();
  out.numbered = numbering == 1;
  const int source = find_name(names, kSources), target = find_name(names, kTargets);
  const int columns = out.count - numbering;
  if (source >= 0 && target >= 0) {
    out.source = source + unnamed;
    out.target = target + unnamed;
    out.names = true;
  } else if (numbering == 1 && columns >= 2) {
    out.source = 1;
    out.target = 2;
  } else {
    return std::nullopt;
  }
  const int weight = find_name(names, kWeights);
  if (weight >= 0) {
    out.weight = weight + unnamed;
    out.sure_weight = true;
  } else if (columns == 3) {
    out.weight = 3 * numbering + 3 - out.source - out.target;  // the third one
  } else if (columns != 2 && !options.unweighted) {
    refuse_columns(head, text);
  }
  if (options.unweighted) out.weight = -1;
  if (out.weighted() && is_one_of(names[static_cast<std::size_t>(out.weight - unnamed)], kTimes)) {
    out.doubt = fmt::format("the column {} is taken for the weights; option unweighted leaves it out",
                            in_quotes(names[static_cast<std::size_t>(out.weight - unnamed)]));
  }
  return out;
}

}  // namespace

int unnamed_columns(const TableHead& head) {
  if (head.rows.size() < 2 || !all_words(head.rows[0])) return 0;
  const Row& second = head.rows[1];
  return second.size() == head.rows[0].size() + 1 && (second[0] == "0" || second[0] == "1") ? 1 : 0;
}

EdgeColumns edge_columns(const Text& text, const TableHead& head, const ReadOptions& options) {
  const Row& first = head.rows[0];
  if (!options.columns.empty()) return chosen_columns(head, options);
  if (const auto named = named_columns(head, text, options)) return *named;
  EdgeColumns out{.count = static_cast<int>(first.size())};
  if (out.count < 2) refuse_columns(head, text);
  if (options.unweighted || out.count == 2) return out;
  out.weight = 2;
  if (out.count == 3) return out;
  if (out.count > 4 || !is_time_column(head, 3)) refuse_columns(head, text);
  out.message = "the fourth column looks like times and is left out; the third is taken for the weights";
  return out;
}

void TimeSigns::add(double value) {
  whole_ = whole_ && value >= 0 && value == std::floor(value);
  if (count_++ == 0) {
    low_ = high_ = first_ = last_ = value;
    return;
  }
  ascending_ = ascending_ && value >= last_;
  steps_ += value != last_;
  last_ = value;
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
}

void TimeSigns::append(const TimeSigns& next) {
  if (count_ == 0 || next.count_ == 0) {
    if (count_ == 0) *this = next;
    return;
  }
  whole_ = whole_ && next.whole_;
  ascending_ = ascending_ && next.ascending_ && next.first_ >= last_;
  steps_ += next.steps_ + (next.first_ != last_);
  count_ += next.count_;
  last_ = next.last_;
  low_ = std::min(low_, next.low_);
  high_ = std::max(high_, next.high_);
}

bool TimeSigns::look_like_times() const {
  if (!whole_ || count_ < 2 || low_ == high_) return false;
  for (const double second : {1e0, 1e3, 1e6, 1e9}) {
    if (low_ >= 3e8 * second && high_ <= 5e9 * second) return true;  // 1979 to 2128
  }
  if (low_ >= 1000 && high_ - low_ <= 0.1 * high_) return true;  // also years, and days as 20291130
  return ascending_ && count_ >= 10 && 2 * steps_ >= count_;
}

}  // namespace parsimony::graph
