// Implements read_edge_list() of distributed/input.hpp: lists of integers in one pass, all other ones as
// tables.
#include <optional>
#include <utility>

#include "core/together.hpp"
#include "distributed/input.hpp"
#include "distributed/number_ids.hpp"
#include "graph/file/edge_table.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/plain_edges.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kRowsOfHead = 100;  // by which a table shows its columns

template <class Id>
Graph graph_of_edges(const Input& input, graph::IdEdges<Id> edges, bool weighted, const std::string& doubt) {
  const Communicator& communicator = input.communicator;
  NumberedIds<Id> numbered = number_ids(communicator, std::move(edges.ids), input.budget(), input.context);
  for (std::size_t p = 0; p < numbered.blocks.size() && !edges.weights.empty(); ++p) {
    numbered.blocks[p].weights = std::move(edges.weights[p]);
  }
  const IdTable<Id>& table = numbered.table;
  AssemblyCounts counts;
  GraphRows rows = assemble_rows(
      communicator, table.nodes(), std::move(numbered.blocks),
      graph::assembling(graph::EntryMeaning::edge_list, weighted, input.options, doubt),
      [&](std::span<const std::int32_t> nodes) { return table.names(communicator, nodes); }, input.budget(),
      input.halo, counts, input.context);
  Graph out = graph_of(input, std::move(rows), counts);
  if constexpr (std::is_same_v<Id, std::int64_t>) {
    out.ids = std::move(numbered.table.own);
  } else {
    out.words = std::move(numbered.table.own);
  }
  return out;
}

// A list of integers, perhaps below a header; nothing if it is of another kind in any process.
std::optional<Graph> graph_of_integers(const Input& input) {
  const Communicator& communicator = input.communicator;
  const graph::Text head(input.name(), input.head);
  std::optional<graph::PlainLayout> layout;
  together(communicator, [&] { layout = graph::plain_layout(head, input.options); });
  if (!layout) return std::nullopt;
  Slice slice = own_slice(input, place_in_file(input, head, layout->body));
  const bool weighted = layout->columns.weighted();
  std::optional<graph::PlainEdges> edges;
  together(communicator, [&] {
    const graph::Text text = slice.text(input);
    input.budget().require(text.count_lines(input.context) * (weighted ? 48 : 40));
    edges = graph::read_plain(text, 0, layout->columns.count - 2, weighted, input.context);
  });
  if (any_of(communicator, !edges)) return std::nullopt;
  if (communicator.rank() == 0) {
    if (layout->header) say_header(head, layout->head, input.context);
    if (!layout->columns.message.empty()) {
      input.context.log(LogLevel::warning, input.name() + ": " + layout->columns.message);
    }
  }
  say_comments_of_all(communicator, slice.text(input), edges->comments, input.context);
  const std::string doubt = weight_doubt(layout->columns, edges->weights, communicator);
  slice = {};
  return graph_of_edges<std::int64_t>(input, std::move(*edges), weighted, doubt);
}

// A head with as many rows as a table is recognised by.
void extend_head(Input& input) {
  const auto rows = [&] {
    return std::ssize(graph::read_head(graph::Text(input.name(), input.head), ' ', kRowsOfHead).rows);
  };
  // The head ends at a line, so it may be far shorter than the bytes that were asked for.
  for (std::int64_t bytes = std::max<std::int64_t>(std::ssize(input.head), 1);
       rows() < kRowsOfHead && std::ssize(input.head) < input.size;) {
    input.read_head(bytes *= 2);
  }
}

}  // namespace

Graph read_edge_list(Input& input) {
  const Communicator& communicator = input.communicator;
  if (auto graph = graph_of_integers(input)) return std::move(*graph);
  together(communicator, [&] { extend_head(input); });
  const graph::Text head(input.name(), input.head);
  const Slice slice = own_slice(input, place_in_file(input, head, end_of_first_row(head)));
  const graph::Text text = slice.text(input);
  together(communicator, [&] {
    // Two words, once more when they are sorted, two nodes, a weight and its growth; and words of others.
    input.budget().require(text.count_lines(input.context) * (input.options.unweighted ? 144 : 152));
  });
  graph::EdgeTable table =
      graph::read_edge_table({head, text, 0, communicator}, input.options, input.context);
  std::optional<std::vector<std::vector<std::int64_t>>> numbers;
  together(communicator, [&] { numbers = graph::as_integers(table.edges.ids); });
  if (any_of(communicator, !numbers)) {
    return graph_of_edges<std::string_view>(input, std::move(table.edges), table.weighted, table.doubt);
  }
  return graph_of_edges<std::int64_t>(input, {std::move(*numbers), std::move(table.edges.weights)},
                                      table.weighted, table.doubt);
}

}  // namespace parsimony::distributed
