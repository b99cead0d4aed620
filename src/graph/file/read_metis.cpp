// METIS graph files, version 5 of its manual: line i has the neighbours of node i.
#include <fmt/format.h>

#include <limits>
#include <numeric>

#include "core/count_of.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/metis.hpp"

namespace parsimony::graph {
namespace {

// Blank lines are nodes without edges, so only comments are passed over.
bool next_node(LineCursor& cursor) {
  while (cursor.next_line()) {
    cursor.skip_blanks();
    if (!cursor.starts_with("%")) return true;
  }
  return false;
}

void parse_format(LineCursor& cursor, MetisHeader& header) {
  const auto format = cursor.integer("the format", 0, 111);
  cursor.skip_blanks();
  const auto sizes = format / 100, weights = format / 10 % 10, edges = format % 10;
  if (weights > 1 || edges > 1)
    throw TextFault{cursor.line(), fmt::format("format {}; its digits are 0 or 1", format)};
  header.node_sizes = sizes == 1;
  header.node_weights = weights;
  header.edge_weights = edges == 1;
  if (cursor.at_line_end()) return;
  const auto constraints = cursor.integer("the number of node weights", 0, 1 << 20);
  if (weights == 1) header.node_weights = constraints;
  cursor.skip_blanks();
}

}  // namespace

MetisHeader parse_metis_header(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  MetisHeader header;
  try {
    if (!next_node(cursor)) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: no edges; the first line has the numbers of nodes and edges", text.name));
    }
    header.line = cursor.line() - text.bytes.data();
    header.nodes = cursor.integer("the number of nodes", 1, std::numeric_limits<std::int32_t>::max());
    cursor.skip_blanks();
    header.edges = cursor.integer("the number of edges", 0, std::numeric_limits<std::int64_t>::max() / 2);
    cursor.skip_blanks();
    if (!cursor.at_line_end()) parse_format(cursor, header);
    if (!cursor.at_line_end())
      throw TextFault{cursor.at(), fmt::format("{} is too much", in_quotes(cursor.word()))};
    cursor.next_line();
    header.body = std::min<std::int64_t>(cursor.line() - text.bytes.data(), text.bytes.size());
  } catch (const TextFault& fault) {
    text.fail(fault);
  }
  return header;
}

std::vector<std::int64_t> count_metis_nodes(const Text& text, std::int64_t from, const Context& context) {
  std::vector<std::int64_t> nodes(piece_count(text.bytes.substr(from)) + 1);
  parse_lines(text, from, context, [&](LineCursor& cursor, std::int64_t piece) {
    while (next_node(cursor)) ++nodes[piece];
  });
  std::exclusive_scan(nodes.begin(), nodes.end(), nodes.begin(), std::int64_t{0});
  return nodes;
}

EntryBlock parse_metis_nodes(LineCursor& cursor, std::int64_t node, const MetisHeader& header) {
  EntryBlock block;
  for (; next_node(cursor); ++node) {
    if (node >= header.nodes) {
      if (cursor.at_line_end()) continue;
      throw TextFault{cursor.line(),
                      fmt::format("a line beyond those of the {}", count_of(header.nodes, "node"))};
    }
    for (std::int64_t i = 0; i < header.skipped_fields(); ++i) {
      cursor.integer("size or weight of the node", 0, std::numeric_limits<std::int64_t>::max());
      cursor.skip_blanks();
    }
    while (!cursor.at_line_end()) {
      const auto neighbor = cursor.integer("neighbour", 1, header.nodes);
      cursor.skip_blanks();
      block.nodes.push_back({static_cast<std::int32_t>(node), static_cast<std::int32_t>(neighbor - 1)});
      if (!header.edge_weights) continue;
      if (cursor.at_line_end()) throw TextFault{cursor.line(), "the last neighbour has no weight"};
      block.weights.push_back(cursor.weight());
      cursor.skip_blanks();
    }
  }
  return block;
}

void check_metis_nodes(const Text& head, const MetisHeader& header, std::int64_t nodes) {
  if (nodes >= header.nodes) return;
  head.fail({head.bytes.data() + header.line,
             fmt::format("{} stated, {} of nodes found; the file may be truncated",
                         count_of(header.nodes, "node"), count_of(nodes, "line"))});
}

void check_metis_edges(const Text& head, const MetisHeader& header, std::int64_t entries,
                       std::int64_t edges) {
  const bool clean = entries == 2 * edges;
  if (header.edges >= edges && header.edges <= (clean ? edges : entries)) return;
  head.fail({head.bytes.data() + header.line,
             fmt::format("{} stated, {} found ({} listed)", count_of(header.edges, "edge"), edges,
                         count_of(entries, "neighbour"))});
}

std::int64_t metis_entry_bytes(const MetisHeader& header, std::int64_t bytes) {
  return bytes * (header.edge_weights ? 3 : 4);
}

GraphFile parse_metis(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                      const Context& context) {
  const Text text(budget.file, bytes);
  const MetisHeader header = parse_metis_header(text);
  budget.require(metis_entry_bytes(header, std::ssize(bytes)));
  const std::vector<std::int64_t> first_node = count_metis_nodes(text, header.body, context);
  std::vector<EntryBlock> blocks(first_node.size() - 1);
  parse_lines(text, header.body, context, [&](LineCursor& cursor, std::int64_t piece) {
    blocks[piece] = parse_metis_nodes(cursor, first_node[piece], header);
  });
  check_metis_nodes(text, header, first_node.back());
  std::int64_t entries = 0;
  for (const EntryBlock& block : blocks) entries += static_cast<std::int64_t>(block.nodes.size());

  GraphFile file =
      assemble_file(std::move(blocks), NodeIds::consecutive(header.nodes, 1),
                    assembling(EntryMeaning::matrix, header.edge_weights, options), budget, context);
  check_metis_edges(text, header, entries, file.graph.edges());
  return file;
}

}  // namespace parsimony::graph
