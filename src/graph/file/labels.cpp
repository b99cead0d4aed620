#include "parsimony/graph/labels.hpp"

#include <fmt/format.h>

#include <charconv>
#include <numeric>
#include <optional>

#include "core/files/npy_format.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/text.hpp"
#include "graph/id_index.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::graph {
namespace {

template <class Id>
using Pieces = std::vector<std::vector<Id>>;  // one for each piece of the text

// The words as integers, or nothing if any of them is not an integer.
std::optional<Pieces<std::int64_t>> as_integers(const Pieces<std::string_view>& words) {
  Pieces<std::int64_t> out(words.size());
  for (std::size_t p = 0; p < words.size(); ++p) {
    out[p].reserve(words[p].size());
    for (const std::string_view word : words[p]) {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
      out[p].push_back(value);
    }
  }
  return out;
}

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

Numbered number_words(const Pieces<std::string_view>& words, const MemoryBudget& budget,
                      const Context& context) {
  const auto integers = as_integers(words);
  return integers ? number(*integers, budget, context) : number(words, budget, context);
}

std::vector<std::string> all_names(const NodeIds& ids) {
  std::vector<std::string> names(ids.size());
  for (std::int64_t i = 0; i < ids.size(); ++i) names[i] = ids.name(i);
  return names;
}

// Columns of the first line that has any.
int columns_of_labels(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  try {
    if (!cursor.next_entry()) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: no labels; a line has a node and its cluster, or a cluster", text.name));
    }
    const int columns = cursor.count_fields();
    if (columns <= 2) return columns;
    throw TextFault{cursor.line(),
                    fmt::format("{} columns; a line has a node and its cluster, or a cluster", columns)};
  } catch (const TextFault& fault) {
    text.fail(fault);
  }
}

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

Labels parse_labels(const std::string& bytes, const std::string& name, std::int64_t max_memory,
                    const Context& context) {
  const MemoryBudget budget{name, max_memory};
  if (bytes.compare(0, 6, "\x93NUMPY") == 0) {
    budget.require(static_cast<std::int64_t>(bytes.size()) *
                   21);  // from int8: 8 + 8 sorted + 4, and the file
    return parse_npy_labels(bytes, budget, context);
  }
  const Text text(name, bytes);
  const int columns = columns_of_labels(text);
  const auto size = static_cast<std::int64_t>(bytes.size());
  budget.require(size + text.count_lines(context) * columns * 56);  // words, integers, sorted, numbers
  Pieces<std::string_view> nodes(piece_count(text.bytes)), clusters(nodes.size());
  parse_lines(text, 0, context, [&](LineCursor& cursor, std::int64_t piece) {
    while (cursor.next_entry()) {
      std::string_view word = cursor.printable_word();
      cursor.next_field();
      if (columns == 2) {
        if (cursor.at_line_end())
          throw TextFault{cursor.line(), "1 column; every line needs 2, as the first has"};
        nodes[piece].push_back(word);
        word = cursor.printable_word();
        cursor.next_field();
      }
      clusters[piece].push_back(word);
      if (!cursor.at_line_end()) {
        throw TextFault{cursor.line(), fmt::format("{} columns; every line needs {}, as the first has",
                                                   columns + cursor.count_fields(), columns)};
      }
    }
  });

  Numbered of_line = number_words(clusters, budget, context);
  Labels labels;
  labels.names = all_names(of_line.names);
  if (columns == 1) {
    labels.clusters = std::move(of_line.of_word);
    labels.ids = NodeIds::consecutive(static_cast<std::int64_t>(labels.clusters.size()), 0);
    labels.by_position = true;
    return labels;
  }
  Numbered node_of_line = number_words(nodes, budget, context);
  labels.clusters.assign(node_of_line.names.size(), -1);
  std::size_t line = 0;
  for (const auto& piece : nodes) {
    for (const std::string_view word : piece) {
      std::int32_t& cluster = labels.clusters[node_of_line.of_word[line]];
      if (cluster >= 0)
        text.fail({word.data(), fmt::format("node {} has a cluster already", in_quotes(word))});
      cluster = of_line.of_word[line++];
    }
  }
  labels.ids = std::move(node_of_line.names);
  return labels;
}

Labels read_labels(const std::filesystem::path& path, std::int64_t max_memory, const Context& context) {
  return parse_labels(read_file(path, max_memory, context.stop), path.string(), max_memory, context);
}

AlignedLabels align_labels(const Labels& first, const Labels& second) {
  // Without ids in one of the files, nothing but the position can match the nodes of two equally long files.
  if ((first.by_position || second.by_position) && first.clusters.size() == second.clusters.size()) {
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
  out.only_in_second = second.ids.size() - static_cast<std::int64_t>(out.first.size());
  return out;
}

}  // namespace parsimony::graph
