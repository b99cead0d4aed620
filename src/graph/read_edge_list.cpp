#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <type_traits>

#include "graph/formats.hpp"
#include "graph/id_index.hpp"

namespace parsimony::graph {
namespace {

// Columns of the first entry: 2, or 3 in a weighted list.
int find_columns(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  try {
    if (!cursor.next_entry()) throw Error(ErrorCode::format, fmt::format("no edges in {}", text.name));
    const char* line = cursor.line();
    const int columns = cursor.count_fields();
    if (columns == 2 || columns == 3) return columns;
    throw TextFault{
        line, fmt::format("{} column{}; an edge has two node ids and, if it is weighted, a weight", columns,
                          columns == 1 ? "" : "s")};
  } catch (const TextFault& fault) {
    text.fail(fault);
  }
}

template <class Id>
struct Edges {
  std::vector<std::vector<Id>> ids;  // a piece of text each, two an edge
  std::vector<std::vector<float>> weights;
  std::atomic<const char*> first_word = nullptr;  // the first id that is no integer, where all should be
};

template <class Id>
void parse_edges(const Text& text, int columns, Edges<Id>& out, const Context& context) {
  out.ids.resize(piece_count(text.bytes));
  out.weights.resize(out.ids.size());
  parse_lines(text, 0, context, [&](LineCursor& cursor, std::int64_t piece) {
    std::vector<Id> ids;
    std::vector<float> weights;
    while (cursor.next_entry()) {
      for (int end = 0; end < 2; ++end) {
        if (cursor.at_line_end())
          throw TextFault{cursor.line(), fmt::format("1 column; every line needs {}", columns)};
        if constexpr (std::is_same_v<Id, std::int64_t>) {
          std::int64_t id = 0;
          if (!cursor.integer(id)) {
            // Another piece may have met one before: the earliest in the text is the one to tell of.
            const char* known = out.first_word;
            while ((!known || cursor.at() < known) &&
                   !out.first_word.compare_exchange_weak(known, cursor.at())) {
            }
            return;
          }
          ids.push_back(id);
        } else {
          ids.push_back(cursor.printable_word());
        }
        cursor.next_field();
      }
      if (columns == 3 && !cursor.at_line_end()) {
        weights.push_back(cursor.weight());
        cursor.next_field();
      } else if (columns == 3) {
        throw TextFault{cursor.line(), "2 columns; every line needs 3, because the first edge has a weight"};
      }
      if (!cursor.at_line_end()) {
        throw TextFault{cursor.line(), fmt::format("{} columns; every line needs {}, as the first edge has",
                                                   columns + cursor.count_fields(), columns)};
      }
    }
    out.ids[piece] = std::move(ids);
    out.weights[piece] = std::move(weights);
  });
}

template <class Id>
std::vector<EntryBlock> number_nodes(Edges<Id>& edges, const IdIndex<Id>& index, const Context& context) {
  std::vector<EntryBlock> blocks(edges.ids.size());
  context.for_blocks(static_cast<std::int64_t>(blocks.size()), 1, [&](std::int64_t b, std::int64_t) {
    const std::vector<Id> ids = std::move(edges.ids[b]);
    blocks[b].nodes.resize(ids.size() / 2);
    for (std::size_t i = 0; i < ids.size(); i += 2)
      blocks[b].nodes[i / 2] = {index[ids[i]], index[ids[i + 1]]};
    blocks[b].weights = std::move(edges.weights[b]);
  });
  return blocks;
}

}  // namespace

GraphFile parse_edge_list(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                          const Context& context) {
  const Text text(budget.file, bytes);
  const int columns = find_columns(text);
  const bool weighted = columns == 3;
  const AssembleOptions assembling{EntryMeaning::edge_list, weighted, options.symmetrize};
  const auto text_size = static_cast<std::int64_t>(bytes.size()), lines = text.count_lines(context);
  budget.require(text_size + lines * (weighted ? 32 : 24));  // two ids, two nodes, a weight and its growth

  Edges<std::int64_t> numbers;
  try {
    parse_edges(text, columns, numbers, context);
  } catch (const Error& error) {
    // With words for ids the lines are read again, and the first bad one may be another.
    if (error.code() != ErrorCode::format || !numbers.first_word) throw;
  }
  if (const char* first_word = numbers.first_word) {
    numbers.ids = {};
    numbers.weights = {};
    budget.require(text_size +
                   lines * (weighted ? 80 : 72));  // two words, once more when sorted, two nodes, a weight
    Edges<std::string_view> words;
    parse_edges(text, columns, words, context);
    const auto line = 1 + std::count(text.bytes.data(), first_word, '\n');
    const std::string_view rest = text.bytes.substr(first_word - text.bytes.data());
    context.log(LogLevel::info,
                fmt::format("{}:{}: the id {} is no integer, so all ids are taken as text", text.name, line,
                            in_quotes(rest.substr(0, rest.find_first_of(" \t,\r\n")))));
    const IdIndex<std::string_view> index(words.ids, budget, context);
    return assemble(number_nodes(words, index, context), index.names(), assembling, budget, text_size,
                    context);
  }
  std::string().swap(bytes);
  const IdIndex<std::int64_t> index(numbers.ids, budget, context);
  return assemble(number_nodes(numbers, index, context), index.names(), assembling, budget, 0, context);
}

}  // namespace parsimony::graph
