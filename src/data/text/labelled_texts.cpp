#include "parsimony/data/labelled_texts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

using Cells = std::vector<std::string_view>;
using Names = std::initializer_list<std::string_view>;

struct TextColumns {
  std::size_t count = 0, first = 0, target = 0;
  std::optional<std::size_t> second;
};

[[noreturn]] void fail(const std::string& file, std::int64_t line, const std::string& what) {
  throw Error(ErrorCode::format, fmt::format("{}: line {}: {}", file, line, what));
}

Cells cells_of(std::string_view line) {
  Cells out;
  while (true) {
    const std::size_t end = line.find('\t');
    out.push_back(line.substr(0, end));
    if (end == line.npos) return out;
    line.remove_prefix(end + 1);
  }
}

// The column that has one of the names; none, or an error where two have.
std::optional<std::size_t> column_of(const Cells& header, Names names, const std::string& file) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (std::find(names.begin(), names.end(), header[i]) == names.end()) continue;
    if (found) {
      fail(file, 1, fmt::format("the columns {} and {} have the same meaning", header[*found], header[i]));
    }
    found = i;
  }
  return found;
}

TextColumns columns_of(const Cells& header, TextTarget target, const std::string& file) {
  const auto needed = [&](Names names) {
    const auto found = column_of(header, names, file);
    if (!found) {
      fail(file, 1,
           fmt::format("names the columns {}; must have one of {}", fmt::join(header, ", "),
                       fmt::join(names, ", ")));
    }
    return *found;
  };
  TextColumns out{.count = header.size()};
  out.first = needed({"sentence", "sentence1", "premise", "sentence_A"});
  out.second = column_of(header, {"sentence2", "hypothesis", "sentence_B"}, file);
  out.target = target == TextTarget::score ? needed({"score", "similarity", "relatedness_score"})
                                           : needed({"label", "gold_label", "entailment_label"});
  return out;
}

double score_of(std::string_view text, const std::string& file, std::int64_t line) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    fail(file, line, fmt::format("the score is \"{}\"; must be a number", text));
  }
  return value;
}

}  // namespace

LabelledTexts read_labelled_texts(const std::filesystem::path& path, TextLayout layout, TextTarget target,
                                  const Context& context) {
  const std::string file = path.string();
  if (layout == TextLayout::cola && target == TextTarget::score) {
    refuse("target: a table of CoLA has no scores; must be label");
  }
  const std::string text = read_file(path, 0, context.stop);
  TextColumns columns{.count = 4, .first = 3, .target = 1};
  LabelledTexts out;
  std::string_view rest = text;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view row = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    const Cells cells = cells_of(row);
    if (line == 1 && layout == TextLayout::header) {
      columns = columns_of(cells, target, file);
      continue;
    }
    if (row.empty() && rest.empty()) break;
    if (cells.size() != columns.count) {
      fail(file, line, fmt::format("has {}; must have {}", count_of(cells.size(), "column"), columns.count));
    }
    out.first.emplace_back(cells[columns.first]);
    if (columns.second) out.second.emplace_back(cells[*columns.second]);
    const std::string_view value = cells[columns.target];
    if (target == TextTarget::score) {
      out.scores.push_back(score_of(value, file, line));
    } else if (value.empty()) {
      fail(file, line, "the label is empty");
    } else {
      out.labels.emplace_back(value);
    }
  }
  if (out.first.empty()) throw Error(ErrorCode::format, fmt::format("{}: has no line of text", file));
  return out;
}

}  // namespace parsimony::data
