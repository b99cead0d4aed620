// Implements read_matrix_market() and read_metis() of distributed/input.hpp.
#include <fmt/format.h>

#include "core/count_of.hpp"
#include "core/together.hpp"
#include "distributed/input.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/matrix_market.hpp"
#include "graph/file/metis.hpp"

namespace parsimony::distributed {
namespace {

// The graph of the entries of a matrix, whose nodes are numbered from 1.
Graph graph_of_matrix(const Input& input, std::int64_t nodes, std::vector<graph::EntryBlock> blocks,
                      graph::EntryMeaning meaning, bool weighted) {
  const auto names = [](std::span<const std::int32_t> some) {
    std::vector<std::string> out;
    for (const std::int64_t node : some) out.push_back(std::to_string(node + 1));
    return out;
  };
  AssemblyCounts counts;
  GraphRows rows = assemble_rows(input.communicator, nodes, std::move(blocks),
                                 graph::assembling(meaning, weighted, input.options), names, input.budget(),
                                 input.halo, counts, input.context);
  Graph out = graph_of(input, std::move(rows), counts);
  out.first_id = 1;
  return out;
}

std::int64_t entries_of(const Communicator& communicator, const std::vector<graph::EntryBlock>& blocks) {
  std::int64_t own = 0;
  for (const graph::EntryBlock& block : blocks) own += std::ssize(block.nodes);
  return communicator.sum_of(own);
}

}  // namespace

Graph read_matrix_market(const Input& input) {
  const graph::Text head(input.name(), input.head);
  graph::MatrixMarketHeader header;
  together(input.communicator, [&] {
    header = graph::parse_matrix_market_header(head);
    if (header.rows != header.columns) {
      input.fail("is not square: a bipartite graph needs one process; parsimony convert writes it for many");
    }
  });
  Slice slice = own_slice(input, place_in_file(input, head, header.body));
  std::vector<graph::EntryBlock> blocks;
  together(input.communicator, [&] {
    if (!header.pattern) graph::replace_fortran_exponents(slice.bytes, 0);
    const graph::Text text = slice.text(input);
    input.budget().require(text.count_lines(input.context) * (header.pattern ? 16 : 24));
    blocks.resize(graph::piece_count(text.bytes));
    graph::parse_lines(text, 0, input.context, [&](graph::LineCursor& cursor, std::int64_t piece) {
      blocks[piece] = graph::parse_matrix_entries(cursor, header, 0);
    });
  });
  slice = {};
  const std::int64_t found = entries_of(input.communicator, blocks);
  if (found != header.entries) {
    head.fail({head.bytes.data() + header.size_line,
               fmt::format("{} stated, {} found; the file may be truncated",
                           count_of(header.entries, "entry", "entries"), found)});
  }
  const auto meaning = header.symmetric ? graph::EntryMeaning::triangle : graph::EntryMeaning::matrix;
  return graph_of_matrix(input, header.rows, std::move(blocks), meaning, !header.pattern);
}

Graph read_metis(const Input& input) {
  const Communicator& communicator = input.communicator;
  const graph::Text head(input.name(), input.head);
  graph::MetisHeader header;
  together(communicator, [&] { header = graph::parse_metis_header(head); });
  Slice slice = own_slice(input, place_in_file(input, head, header.body));
  std::vector<std::int64_t> first_node;
  together(communicator, [&] { first_node = count_metis_nodes(slice.text(input), 0, input.context); });
  const std::int64_t before = communicator.before(first_node.back());
  const std::int64_t nodes = communicator.sum_of(first_node.back());
  std::vector<graph::EntryBlock> blocks(first_node.size() - 1);
  together(communicator, [&] {
    const graph::Text text = slice.text(input);
    input.budget().require(graph::metis_entry_bytes(header, std::ssize(slice.bytes)));
    graph::parse_lines(text, 0, input.context, [&](graph::LineCursor& cursor, std::int64_t piece) {
      blocks[piece] = graph::parse_metis_nodes(cursor, before + first_node[piece], header);
    });
  });
  slice = {};
  check_metis_nodes(head, header, nodes);
  const std::int64_t entries = entries_of(communicator, blocks);
  Graph out = graph_of_matrix(input, header.nodes, std::move(blocks), graph::EntryMeaning::matrix,
                              header.edge_weights);
  check_metis_edges(head, header, entries, out.edges);
  return out;
}

}  // namespace parsimony::distributed
