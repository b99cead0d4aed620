// Implements parse_edge_list() of graph/file/formats.hpp. Lists of integers, by far the largest ones, are
// read in one pass without a copy of any field; all other ones as tables.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "graph/file/edge_table.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/number_edges.hpp"
#include "graph/file/plain_edges.hpp"

namespace parsimony::graph {

std::optional<PlainEdges> read_plain(const Text& text, std::int64_t from, int others, bool weighted,
                                     const Context& context) {
  PlainEdges out;
  out.ids.resize(piece_count(text.bytes.substr(from)));
  out.weights.resize(out.ids.size());
  std::vector<Comments> comments(out.ids.size());
  std::atomic<bool> different = false;
  parse_lines(text, from, context, [&](LineCursor& cursor, std::int64_t piece) {
    std::vector<std::int64_t> ids;
    std::vector<float> weights;
    try {
      while (!different.load(std::memory_order_relaxed) && cursor.next_entry()) {
        for (int end = 0; end < 2; ++end) {
          std::int64_t id = 0;
          if (!cursor.plain_integer(id)) return different.store(true);
          ids.push_back(id);
          cursor.next_field();
        }
        for (int other = 0; other < others; ++other) {
          if (cursor.at_line_end()) return different.store(true);
          if (weighted && other == 0) {
            weights.push_back(cursor.weight());
          } else {
            cursor.word();
          }
          cursor.next_field();
        }
        if (!cursor.at_line_end()) return different.store(true);
      }
    } catch (const TextFault&) {
      return different.store(true);
    }
    out.ids[piece] = std::move(ids);
    out.weights[piece] = std::move(weights);
    comments[piece] = cursor.comments();
  });
  if (different) return std::nullopt;
  for (const Comments& piece : comments) out.comments.add(piece);
  return out;
}

std::optional<PlainLayout> plain_layout(const Text& text, const ReadOptions& options) {
  if (!options.columns.empty()) return std::nullopt;
  PlainLayout out{.head = read_head(text, ' ', 2), .columns = {}};
  const TableHead& head = out.head;
  if (head.rows.empty() || head.rows.back().size() < 2 || head.rows[0].size() != head.rows.back().size() ||
      (head.rows[0].size() > 3 && !options.unweighted) || !as_integer(head.rows.back()[0])) {
    return std::nullopt;
  }
  out.columns = edge_columns(text, head, options);
  const EdgeColumns& columns = out.columns;
  if (columns.source != 0 || columns.target != 1 || (columns.weighted() && columns.weight != 2)) {
    return std::nullopt;
  }
  out.header = all_words(head.rows[0]);
  out.body = out.header ? head.second : head.begins[0];
  return out;
}

namespace {

// A list of integers, perhaps below a header.
std::optional<PlainEdges> read_integers(const Text& text, const ReadOptions& options,
                                        const MemoryBudget& budget, EdgeColumns& columns,
                                        const Context& context) {
  const std::optional<PlainLayout> layout = plain_layout(text, options);
  if (!layout) return std::nullopt;
  columns = layout->columns;
  // Two ids, two nodes, a weight and its growth.
  budget.require(text.count_lines(context) * (columns.weighted() ? 32 : 24));
  auto edges = read_plain(text, layout->body, columns.count - 2, columns.weighted(), context);
  if (!edges) return edges;
  if (layout->header) say_header(text, layout->head, context);
  if (!columns.message.empty()) {
    context.log(LogLevel::warning, fmt::format("{}: {}", text.name, columns.message));
  }
  say_comments(text, edges->comments, context);
  columns.doubt = weight_doubt(columns, edges->weights, one_process());
  return edges;
}

void say_words(const Text& text, const Words& ids, const Context& context) {
  for (const auto& piece : ids) {
    const auto word = std::find_if(piece.begin(), piece.end(), [](auto id) { return !as_integer(id); });
    if (word == piece.end()) continue;
    const bool in_text = is_part(*word, text.bytes);
    const auto line = in_text ? 1 + std::count(text.bytes.data(), word->data(), '\n') : 0;
    context.log(
        LogLevel::info,
        fmt::format("{}{}: the id {} is not an integer of 64 bits without leading zeros, so all ids are "
                    "taken as text",
                    text.name, in_text ? fmt::format(":{}", line) : "", in_quotes(*word)));
    return;
  }
}

}  // namespace

GraphFile parse_edge_list(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                          const Context& context) {
  const Text text(budget.file, bytes);
  const auto assemble_edges = [&](NumberedEdges&& edges, bool weighted, const std::string& doubt) {
    return assemble_file(std::move(edges.blocks), std::move(edges.ids),
                         assembling(EntryMeaning::edge_list, weighted, options, doubt), budget, context);
  };
  const auto from_integers = [&](IdEdges<std::int64_t>&& edges, bool weighted, const std::string& doubt) {
    std::string().swap(bytes);
    std::size_t ends = 0;
    for (const auto& piece : edges.ids) ends += piece.size();
    NumberedEdges numbered = number_edges(std::move(edges), options.bipartite, budget, context);
    if (!options.bipartite) {
      say_points(text, numbered.ids.size(), static_cast<std::int64_t>(ends / 2), context);
    }
    return assemble_edges(std::move(numbered), weighted, doubt);
  };
  EdgeColumns columns;
  if (auto edges = read_integers(text, options, budget, columns, context)) {
    return from_integers(std::move(*edges), columns.weighted(), columns.doubt);
  }
  // Two words, once more when they are sorted, two nodes, a weight and its growth.
  budget.require(text.count_lines(context) * (options.unweighted ? 72 : 80));
  EdgeTable table = read_edge_table(text, options, context);
  if (auto numbers = as_integers(table.edges.ids)) {
    return from_integers({std::move(*numbers), std::move(table.edges.weights)}, table.weighted, table.doubt);
  }
  say_words(text, table.edges.ids, context);
  return assemble_edges(number_edges(std::move(table.edges), options.bipartite, budget, context),
                        table.weighted, table.doubt);
}

}  // namespace parsimony::graph
