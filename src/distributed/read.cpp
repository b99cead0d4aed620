// Implements parsimony/distributed/graph.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "core/together.hpp"
#include "distributed/number_ids.hpp"
#include "distributed/rows.hpp"
#include "distributed/slice.hpp"
#include "graph/file/endings.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/matrix_market.hpp"
#include "graph/file/plain_edges.hpp"
#include "parsimony/distributed/graph.hpp"

namespace parsimony::distributed {
namespace {

using graph::FileFormat;
using graph::Text;

constexpr std::int64_t kHead = 1 << 16;  // bytes that all processes read

struct Input {
  std::filesystem::path path;
  const graph::ReadOptions& options;
  const Communicator& communicator;
  const Context& context;
  std::int64_t size = 0;
  std::string head;  // whole lines
  HaloKind halo;

  std::string name() const { return path.string(); }
  graph::MemoryBudget budget() const { return {name(), context}; }
};

[[noreturn]] void fail(const Input& input, const std::string& what) {
  throw Error(ErrorCode::unsupported, fmt::format("{}: {}", input.name(), what));
}

bool has_first_entry(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = std::min(head.find('\n', at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const std::size_t filled = line.find_first_not_of(" \t\r");
    if (filled != line.npos && line[filled] != '%' && line[filled] != '#') return true;
    at = end + 1;
  }
  return false;
}

// Comments may be long: reads on to the end of the first other line.
void read_head(Input& input) {
  input.size = size_of_file(input.path);
  for (std::int64_t bytes = kHead;; bytes *= 2) {
    input.head = read_begin(input.path, std::min(bytes, input.size));
    if (bytes >= input.size) return;
    input.head.resize(input.head.rfind('\n') + 1);  // npos + 1 is 0
    if (has_first_entry(input.head)) return;
  }
}

void check_readable(const Input& input) {
  const std::string& head = input.head;
  for (const std::string_view magic : {"\x1f\x8b", "\x28\xb5\x2f\xfd"}) {
    if (head.starts_with(magic)) {
      fail(input,
           "is compressed, and only plain text can be read in slices by several processes; decompress it "
           "first");
    }
  }
  graph::refuse_foreign_bytes(head, input.name());
  const graph::ReadOptions& options = input.options;
  if (options.symmetrize || options.directed || options.bipartite || options.affinity ||
      !options.columns.empty()) {
    fail(input,
         "options symmetrize, directed, bipartite, affinity and columns need the graph in one process; "
         "parsimony "
         "convert applies them and writes a file for many");
  }
}

FileFormat format_of(const Input& input) {
  FileFormat format = input.options.format;
  if (format == FileFormat::automatic) {
    format = graph::format_of_ending(input.path);
    if (format == FileFormat::edge_list) {
      const FileFormat found = graph::format_of_content(input.head);
      if (found != FileFormat::automatic) format = found;
    }
  }
  if (format == FileFormat::edge_list) graph::refuse_foreign_text(input.head, input.name());
  if (format != FileFormat::edge_list && format != FileFormat::matrix_market) {
    fail(input,
         fmt::format(
             "is {}; several processes read Matrix Market and edge lists of integers: parsimony convert "
             "makes one",
             enum_name(format)));
  }
  return format;
}

// This process's lines of the file from `body` on.
std::string own_slice(const Input& input, std::int64_t body) {
  const std::int64_t bytes = input.size - body, p = input.communicator.rank(),
                     count = input.communicator.count();
  const auto at = [&](std::int64_t part) {
    return body + bytes / count * part + std::min(part, bytes % count);
  };
  std::string out;
  together(input.communicator, [&] {
    input.budget().require(at(p + 1) - at(p));
    out = read_slice(input.path, body, at(p), at(p + 1));
  });
  return out;
}

// The number of the first line of this process's slice.
std::int64_t first_line(const Input& input, std::int64_t body, const std::string& slice) {
  const auto before = std::count(input.head.begin(), input.head.begin() + body, '\n');
  return 1 + before + input.communicator.before(std::count(slice.begin(), slice.end(), '\n'));
}

Graph finish(const Input& input, GraphRows rows, const AssemblyCounts& counts) {
  Graph out{.rows = std::make_shared<const GraphRows>(std::move(rows))};
  const GraphRows& made = *out.rows;
  out.nodes = made.all();
  out.edges = made.entries() / 2;
  out.weighted = made.weighted;
  out.ghosts = input.communicator.sum_of(std::ssize(made.ghosts));
  out.self_loops_dropped = counts.self_loops_dropped;
  out.duplicates_merged = counts.duplicates_merged;
  out.zeros_dropped = counts.zeros_dropped;
  return out;
}

Graph read_matrix_market(const Input& input) {
  const Text head(input.name(), input.head);
  graph::MatrixMarketHeader header;
  together(input.communicator, [&] {
    header = graph::parse_matrix_market_header(head);
    if (header.rows != header.columns) {
      fail(input, "is not square: a bipartite graph needs one process; parsimony convert writes it for many");
    }
  });
  const std::int64_t body = header.body + (head.bytes.data() - input.head.data());
  std::string slice = own_slice(input, body);
  const std::int64_t line = first_line(input, body, slice);
  std::vector<graph::EntryBlock> blocks;
  std::int64_t found = 0;
  together(input.communicator, [&] {
    if (!header.pattern) graph::replace_fortran_exponents(slice, 0);
    Text text(input.name(), slice);
    text.first_line = line;
    input.budget().require(text.count_lines(input.context) * (header.pattern ? 16 : 24));
    blocks.resize(graph::piece_count(text.bytes));
    graph::parse_lines(text, 0, input.context, [&](graph::LineCursor& cursor, std::int64_t piece) {
      blocks[piece] = graph::parse_matrix_entries(cursor, header, 0);
    });
    for (const graph::EntryBlock& block : blocks) found += std::ssize(block.nodes);
  });
  slice = {};
  found = input.communicator.sum_of(found);
  if (found != header.entries) {
    head.fail({head.bytes.data() + header.size_line,
               fmt::format("{} entries stated, {} found; the file may be truncated", header.entries, found)});
  }
  const auto meaning = header.symmetric ? graph::EntryMeaning::triangle : graph::EntryMeaning::matrix;
  const auto names = [](std::span<const std::int32_t> nodes) {
    std::vector<std::string> out;
    for (const std::int64_t node : nodes) out.push_back(std::to_string(node + 1));
    return out;
  };
  AssemblyCounts counts;
  GraphRows rows = assemble_rows(input.communicator, header.rows, std::move(blocks),
                                 graph::assembling(meaning, !header.pattern, input.options), names,
                                 input.budget(), input.halo, counts, input.context);
  Graph out = finish(input, std::move(rows), counts);
  out.first_id = 1;
  return out;
}

Graph read_edge_list(const Input& input) {
  const Text head(input.name(), input.head);
  std::optional<graph::PlainLayout> layout;
  together(input.communicator, [&] {
    layout = graph::plain_layout(head, input.options);
    if (!layout)
      fail(input,
           "is not a list of integers in two columns, with weights in a third or none, which several "
           "processes can read; parsimony convert makes one");
  });
  const std::int64_t body = layout->body + (head.bytes.data() - input.head.data());
  std::string slice = own_slice(input, body);
  const bool weighted = layout->columns.weighted();
  std::optional<graph::PlainEdges> edges;
  together(input.communicator, [&] {
    const Text text(input.name(), slice);
    input.budget().require(text.count_lines(input.context) * (weighted ? 48 : 40));
    edges = graph::read_plain(text, 0, layout->columns.count - 2, weighted, input.context);
    if (!edges) {
      fail(input,
           "has lines that are not two integers and the columns of its first line; several processes read "
           "only "
           "lists of integers, and one process says which line is different");
    }
  });
  slice = {};
  NumberedIds numbered = number_ids(input.communicator, std::move(edges->ids), input.budget(), input.context);
  for (std::size_t p = 0; p < numbered.blocks.size(); ++p) {
    numbered.blocks[p].weights = std::move(edges->weights[p]);
  }
  const IdTable& table = numbered.table;
  AssemblyCounts counts;
  GraphRows rows = assemble_rows(
      input.communicator, table.nodes(), std::move(numbered.blocks),
      graph::assembling(graph::EntryMeaning::edge_list, weighted, input.options),
      [&](std::span<const std::int32_t> nodes) { return table.names(input.communicator, nodes); },
      input.budget(), input.halo, counts, input.context);
  Graph out = finish(input, std::move(rows), counts);
  out.ids = std::move(numbered.table.own);
  return out;
}

}  // namespace

std::int64_t Graph::first() const {
  return rows->partition.begin();
}

std::int64_t Graph::own() const {
  return rows->own();
}

graph::NodeIds Graph::collect_ids(const Processes& processes) const {
  std::int64_t named = std::ssize(ids);
  processes.sum(std::span<std::int64_t>(&named, 1));
  if (named == 0) return graph::NodeIds::consecutive(nodes, first_id);
  return graph::NodeIds::numbers(processes.collect(std::span<const std::int64_t>(ids)));
}

Graph read_graph(const std::filesystem::path& path, const graph::ReadOptions& options,
                 const Processes& processes, const Context& context) {
  validate_fields(options);
  Input input{.path = path,
              .options = options,
              .communicator = communicator_of(processes),
              .context = context,
              .head = {},
              .halo = halo_kinds().front()};
  FileFormat format = FileFormat::edge_list;
  together(input.communicator, [&] {
    read_head(input);
    check_readable(input);
    format = format_of(input);
  });
  return format == FileFormat::matrix_market ? read_matrix_market(input) : read_edge_list(input);
}

}  // namespace parsimony::distributed
