#include "parsimony/graph/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <list>
#include <optional>

#include "core/count_of.hpp"
#include "core/files/npy_format.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/table.hpp"
#include "graph/id_index.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::graph {
namespace {

template <class Id>
using Pieces = std::vector<std::vector<Id>>;  // one for each piece of the text

using Row = std::vector<std::string_view>;

struct Numbered {
  NodeIds names;
  std::vector<std::int32_t> of_word;  // in the order of the text
};

template <class Id>
Numbered number(const Pieces<Id>& pieces, const MemoryBudget& budget, const Context& context) {
  const IdIndex<Id> index(pieces, budget, context);
  Numbered out{index.names(), {}};
  for (const auto& piece : pieces) {
    for (const Id id : piece) out.of_word.push_back(index[id]);
  }
  return out;
}

Numbered number_words(const Words& words, const MemoryBudget& budget, const Context& context) {
  const auto integers = as_integers(words);
  return integers ? number(*integers, budget, context) : number(words, budget, context);
}

std::vector<std::string> all_names(const NodeIds& ids) {
  std::vector<std::string> names(ids.size());
  for (std::int64_t i = 0; i < ids.size(); ++i) names[i] = ids.name(i);
  return names;
}

bool is_name_of(std::string_view field, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), plain_name(field)) != names.end();
}

// The lines of a text as words: of nodes, unless the lines have one column, and of clusters.
class LabelTable {
 public:
  LabelTable(const Text& text, const Context& context)
      : text_(text), separator_(find_separator(text, context)), head_(read_head(text, separator_, 2)) {
    if (head_.rows.empty()) {
      if (head_.fault) text.fail(*head_.fault);
      throw Error(ErrorCode::format,
                  fmt::format("{}: no labels; a line has a node and its cluster, or a cluster", text.name));
    }
    columns_ = head_.rows[0].size();
    if (columns_ > 2) {
      text.fail(
          {text.bytes.data() + head_.begins[0],
           fmt::format("{}; a line has a node and its cluster, or a cluster", count_of(columns_, "column"))});
    }
    read(context);
  }

  bool by_position() const { return columns_ == 1; }
  [[noreturn]] void fail_twice(std::string_view node) const {
    const std::string message = fmt::format("node {} has a cluster already", in_quotes(node));
    if (is_part(node, text_.bytes)) text_.fail({node.data(), message});
    throw Error(ErrorCode::format, fmt::format("{}: {}", text_.name, message));
  }

  Words nodes, clusters;

 private:
  void add(const Row& row, const char* at, Row& nodes_out, Row& clusters_out) const {
    if (std::find(row.begin(), row.end(), "") != row.end()) throw TextFault{at, "a column is empty"};
    if (row.size() != columns_) {
      throw TextFault{at, fmt::format("{} column{}; every line needs {}, as the first has", row.size(),
                                      row.size() == 1 ? "" : "s", columns_)};
    }
    for (const std::string_view field : row) check_printable(field, at);
    if (columns_ == 2) nodes_out.push_back(row[0]);
    clusters_out.push_back(row.back());
  }

  void read(const Context& context) {
    const std::int64_t pieces = piece_count(text_.bytes.substr(head_.second));
    nodes.resize(pieces + 1);  // the first line goes into the last piece
    clusters.resize(pieces + 1);
    unquoted_.resize(pieces);
    std::vector<Comments> comments(pieces);
    std::optional<Error> fault;
    try {
      parse_lines(text_, head_.second, context, [&](LineCursor& cursor, std::int64_t piece) {
        RowCursor rows(cursor, separator_);
        Row of_nodes, of_clusters;  // kept only with the fields that they view
        while (rows.next()) add(rows.fields(), rows.line(), of_nodes, of_clusters);
        nodes[piece] = std::move(of_nodes);
        clusters[piece] = std::move(of_clusters);
        unquoted_[piece] = std::move(rows.unquoted);
        comments[piece] = cursor.comments();
      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::format) throw;
      fault = error;  // one of the first line comes before it
    }
    if (is_header()) {
      say_header(text_, head_, context);
    } else {
      const char* at = text_.bytes.data() + head_.begins[0];
      try {
        add(head_.rows[0], at, nodes.back(), clusters.back());
      } catch (const TextFault& first) {
        text_.fail(first);
      }
    }
    if (fault) throw *fault;
    std::rotate(nodes.begin(), nodes.end() - 1, nodes.end());
    std::rotate(clusters.begin(), clusters.end() - 1, clusters.end());
    Comments all;
    for (const Comments& piece : comments) all.add(piece);
    say_comments(text_, all, context);
  }

  // Whether the first line has words where the others have numbers, or names that nothing else has.
  bool is_header() const {
    const Row& first = head_.rows[0];
    if (head_.rows.size() < 2) return false;
    if (first.size() == 2 && first[0].empty()) return true;  // pandas: the index has no name
    if (!all_words(first)) return false;
    const auto all = [](const Words& words, auto holds) {
      return std::all_of(words.begin(), words.end(),
                         [&](const auto& piece) { return std::all_of(piece.begin(), piece.end(), holds); });
    };
    const auto is_number = [](auto word) { return as_number(word).has_value(); };
    if (all(clusters, is_number) || (columns_ == 2 && all(nodes, is_number))) return true;
    const auto differs = [&](auto word) {
      return std::find(first.begin(), first.end(), word) == first.end();
    };
    return is_name_of(first.back(), {"cluster", "clusters", "label", "labels", "community", "group", "class",
                                     "module", "membership", "clusterid"}) &&
           (columns_ == 1 || is_name_of(first[0], {"node", "nodeid", "id", "name", "vertex", "label"})) &&
           all(clusters, differs) && all(nodes, differs);
  }

  const Text& text_;
  char separator_;
  TableHead head_;
  std::size_t columns_ = 0;
  std::vector<std::list<std::string>> unquoted_;
};

Labels parse_npy_labels(const std::string& bytes, const MemoryBudget& budget, const Context& context) {
  const NpyArray array = parse_npy(bytes, budget.file);
  if (array.shape.size() != 1 || array.size() == 0) {
    throw Error(ErrorCode::format,
                fmt::format("{}: labels are a 1-D array of at least one whole number", budget.file));
  }
  Numbered clusters = number(Pieces<std::int64_t>{npy_items<std::int64_t>(array)}, budget, context);
  return {NodeIds::consecutive(array.size(), 0), std::move(clusters.of_word), all_names(clusters.names),
          true};
}

}  // namespace

Labels parse_labels(std::string bytes, const std::string& name, const Context& context) {
  const MemoryBudget budget{name, context};
  if (bytes.compare(0, 6, "\x93NUMPY") == 0) {
    budget.require(static_cast<std::int64_t>(bytes.size()) * 20);  // from int8: 8 + 8 sorted + 4
    return parse_npy_labels(bytes, budget, context);
  }
  end_lines_with_newlines(bytes);
  const Text text(name, bytes);
  budget.require(text.count_lines(context) * 2 * 56);  // words, integers, sorted, numbers
  const LabelTable table(text, context);
  Numbered of_line = number_words(table.clusters, budget, context);
  Labels labels;
  labels.names = all_names(of_line.names);
  if (table.by_position()) {
    labels.clusters = std::move(of_line.of_word);
    labels.ids = NodeIds::consecutive(static_cast<std::int64_t>(labels.clusters.size()), 0);
    labels.by_position = true;
    return labels;
  }
  Numbered node_of_line = number_words(table.nodes, budget, context);
  labels.clusters.assign(node_of_line.names.size(), -1);
  std::size_t line = 0;
  for (const auto& piece : table.nodes) {
    for (const std::string_view word : piece) {
      std::int32_t& cluster = labels.clusters[node_of_line.of_word[line]];
      if (cluster >= 0) table.fail_twice(word);
      cluster = of_line.of_word[line++];
    }
  }
  labels.ids = std::move(node_of_line.names);
  return labels;
}

Labels read_labels(const std::filesystem::path& path, const Context& context) {
  Labels labels = parse_labels(read_file(path, context.memory_left(), context.stop), path.string(), context);
  labels.file = path.string();
  return labels;
}

AlignedLabels align_labels(const Labels& first, const Labels& second) {
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", second.file, message));
  };
  // Without ids in one of the files, nothing but the position can match the nodes.
  if (first.by_position || second.by_position) {
    if (first.clusters.size() != second.clusters.size()) {
      fail(fmt::format("{}, but {} has {}; without ids in both files there must be as many",
                       count_of(second.clusters.size(), "label"), first.file, first.clusters.size()));
    }
    return {.first = first.clusters, .second = second.clusters};
  }
  AlignedLabels out;
  for (std::int64_t i = 0; i < first.ids.size(); ++i) {
    const std::int64_t other = second.ids.find(first.ids.name(i));
    if (other < 0) {
      ++out.only_in_first;
      continue;
    }
    out.first.push_back(first.clusters[i]);
    out.second.push_back(second.clusters[other]);
  }
  if (out.first.empty() && first.ids.size() > 0) fail(fmt::format("shares no node with {}", first.file));
  out.only_in_second = second.ids.size() - static_cast<std::int64_t>(out.first.size());
  return out;
}

}  // namespace parsimony::graph
