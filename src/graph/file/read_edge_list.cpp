// Implements parse_edge_list() of graph/file/formats.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "graph/file/formats.hpp"
#include "graph/file/number_edges.hpp"

namespace parsimony::graph {
namespace {

// Columns of the first entry: 2, or 3 in a weighted list.
int columns_of_edges(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  try {
    if (!cursor.next_entry()) {
      throw Error(
          ErrorCode::format,
          fmt::format("{}: no edges; an edge is a line of two node ids and perhaps a weight", text.name));
    }
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
struct Edges : IdEdges<Id> {
  std::atomic<const char*> first_word = nullptr;  // the first id that is not an integer
};

// Several threads may call it; the first place in the text is kept.
void keep_first(std::atomic<const char*>& first, const char* at) {
  const char* known = first;
  while ((!known || at < known) && !first.compare_exchange_weak(known, at)) {
  }
}

[[noreturn]] void fail_columns(const LineCursor& cursor, int found, int columns) {
  throw TextFault{cursor.line(), fmt::format("{} column{}; every line needs {}, as the first edge has", found,
                                             found == 1 ? "" : "s", columns)};
}

template <class Id>
void parse_edges(const Text& text, int columns, Edges<Id>& out, const Context& context) {
  out.ids.resize(piece_count(text.bytes));
  out.weights.resize(out.ids.size());
  parse_lines(text, 0, context, [&](LineCursor& cursor, std::int64_t piece) {
    std::vector<Id> ids;
    std::vector<float> weights;
    while (cursor.next_entry()) {
      for (int end = 0; end < 2; ++end) {
        if (cursor.at_line_end()) fail_columns(cursor, end, columns);
        if constexpr (std::is_same_v<Id, std::int64_t>) {
          std::int64_t id = 0;
          if (!cursor.integer(id)) return keep_first(out.first_word, cursor.at());
          ids.push_back(id);
        } else {
          ids.push_back(cursor.printable_word());
        }
        cursor.next_field();
      }
      if (columns == 3) {
        if (cursor.at_line_end()) fail_columns(cursor, 2, columns);
        weights.push_back(cursor.weight());
        cursor.next_field();
      }
      if (!cursor.at_line_end()) fail_columns(cursor, columns + cursor.count_fields(), columns);
    }
    out.ids[piece] = std::move(ids);
    out.weights[piece] = std::move(weights);
  });
}

}  // namespace

GraphFile parse_edge_list(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                          const Context& context) {
  const Text text(budget.file, bytes);
  const int columns = columns_of_edges(text);
  const bool weighted = columns == 3;
  const AssembleOptions as_edges = assembling(EntryMeaning::edge_list, weighted, options);
  const auto text_size = static_cast<std::int64_t>(bytes.size()), lines = text.count_lines(context);
  budget.require(text_size + lines * (weighted ? 32 : 24));  // two ids, two nodes, a weight and its growth

  Edges<std::int64_t> numbers;
  try {
    parse_edges(text, columns, numbers, context);
  } catch (const Error& error) {
    // Lines are read again with words for ids, and another line may then be the first bad one.
    if (error.code() != ErrorCode::format || !numbers.first_word) throw;
  }
  if (const char* first_word = numbers.first_word) {
    numbers.ids = {};
    numbers.weights = {};
    // Two words, once more when they are sorted, two nodes, a weight and its growth.
    budget.require(text_size + lines * (weighted ? 80 : 72));
    Edges<std::string_view> words;
    parse_edges(text, columns, words, context);
    const auto line = 1 + std::count(text.bytes.data(), first_word, '\n');
    const std::string_view rest = text.bytes.substr(first_word - text.bytes.data());
    context.log(LogLevel::info,
                fmt::format("{}:{}: the id {} is not an integer of 64 bits, so all ids are taken as text",
                            text.name, line, in_quotes(rest.substr(0, rest.find_first_of(" \t,\r\n")))));
    NumberedEdges numbered =
        number_edges<std::string_view>(std::move(words), options.bipartite, budget, context);
    return assemble_file(std::move(numbered.blocks), std::move(numbered.ids), as_edges, budget, text_size,
                         context);
  }
  std::string().swap(bytes);
  NumberedEdges numbered = number_edges<std::int64_t>(std::move(numbers), options.bipartite, budget, context);
  return assemble_file(std::move(numbered.blocks), std::move(numbered.ids), as_edges, budget, 0, context);
}

}  // namespace parsimony::graph
