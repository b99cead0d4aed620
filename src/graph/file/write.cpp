// Implements write_graph() of parsimony/graph/file.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/count_of.hpp"
#include "core/files/npy_format.hpp"
#include "core/files/zip.hpp"
#include "graph/file/endings.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/printer.hpp"
#include "graph/file/written_edges.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

// Whether the ids are 0, 1, … or 1, 2, …
bool are_positions(const NodeIds& ids) {
  const std::int64_t last = ids.size() - 1;
  return last < 0 || (ids.find("0") == 0 && ids.find(std::to_string(last)) == last) ||
         (ids.find("1") == 0 && ids.find(std::to_string(last + 1)) == last);
}

}  // namespace

void print_edge_list(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context) {
  const Csr& adjacency = graph.adjacency;
  Printer print(out);
  const auto edge = [&](const std::string& first, const std::string& second, float weight) {
    for (const std::string_view name : {std::string_view(first), std::string_view(second)}) {
      if (name.empty() || name.find_first_of("\t\r\n") != name.npos) {
        refuse(
            fmt::format("the node id {} cannot be in an edge list; ids there have no tabs and line ends; use "
                        ".graphml, .gml or .csv",
                        in_quotes(name)));
      }
    }
    (print.csv_field(first) << '\t').csv_field(second);
    if (graph.weighted()) (print << '\t').number(weight);
    print.end_line();
  };
  // A node without edges is kept by a loop, which readers drop.
  for (std::int64_t node = 0; node < adjacency.rows(); ++node) {
    if (adjacency.offsets[node] == adjacency.offsets[node + 1]) edge(ids.name(node), ids.name(node), 1);
  }
  for_edges(adjacency, context, [&](std::int64_t row, std::int64_t column, float weight) {
    edge(ids.name(column), ids.name(row), weight);
  });
  print.flush();
}

void print_matrix_market(AtomicFile& out, const Graph& graph, const Context& context) {
  const bool weighted = graph.weighted();
  Printer print(out);
  print << "%%MatrixMarket matrix coordinate " << (weighted ? "real" : "pattern") << " symmetric\n";
  print << fmt::format("{0} {0} {1}\n", graph.nodes(), graph.edges());
  for_edges(graph.adjacency, context, [&](std::int64_t row, std::int64_t column, float weight) {
    (print.number(row + 1) << ' ').number(column + 1);
    if (weighted) (print << ' ').number(weight);
    print.end_line();
  });
  print.flush();
}

void print_metis(AtomicFile& out, const Graph& graph, const std::string& name, const Context& context) {
  const Csr& adjacency = graph.adjacency;
  const bool weighted = graph.weighted();
  Printer print(out);
  print << fmt::format("{} {}{}\n", graph.nodes(), graph.edges(), weighted ? " 001" : "");
  for_rows(adjacency, context, [&](std::int64_t node) {
    for (std::int64_t e = adjacency.offsets[node]; e < adjacency.offsets[node + 1]; ++e) {
      if (e > adjacency.offsets[node]) print << ' ';
      print.number(adjacency.columns[e] + 1);
      if (!weighted) continue;
      const float weight = adjacency.values[e];
      if (weight != std::trunc(weight) || weight >= 0x1p63f) {
        throw Error(
            ErrorCode::invalid_argument,
            fmt::format("{}: METIS files have whole edge weights, not {}; write .mtx instead", name, weight));
      }
      (print << ' ').number(static_cast<std::int64_t>(weight));
    }
    print.end_line();
  });
  print.flush();
}

void print_npz(AtomicFile& out, const Graph& graph, const Context& context) {
  const Csr& adjacency = graph.adjacency;
  const std::int64_t entries = adjacency.entries(), nodes = adjacency.rows();
  // Deflated, the largest array is hardly larger than it is.
  context.require_memory(std::max(4 * entries, 8 * (nodes + 1)) + (std::int64_t{1} << 20),
                         "writing the graph");
  ZipWriter writer([&](std::string_view bytes) { out.write(bytes); });
  const auto add = [&](std::string_view name, std::string_view descr,
                       std::initializer_list<std::int64_t> shape, std::span<const std::string_view> values) {
    const std::string header = npy_header(descr, {shape.begin(), shape.size()});
    std::vector<std::string_view> pieces{header};
    pieces.insert(pieces.end(), values.begin(), values.end());
    writer.add(name, pieces);
  };
  const auto bytes_of = [](const void* data, std::size_t size) {
    return std::string_view(static_cast<const char*>(data), size);
  };
  const std::int64_t shape[] = {nodes, nodes};
  const std::string_view columns = bytes_of(adjacency.columns.data(), 4 * adjacency.columns.size());
  const std::string_view offsets = bytes_of(adjacency.offsets.data(), 8 * adjacency.offsets.size());
  const std::string_view format = "csr", sizes = bytes_of(shape, sizeof shape);
  add("indices.npy", "<i4", {entries}, {&columns, 1});
  add("indptr.npy", "<i8", {nodes + 1}, {&offsets, 1});
  add("format.npy", "|S3", {}, {&format, 1});
  add("shape.npy", "<i8", {2}, {&sizes, 1});
  std::vector<std::string_view> values{bytes_of(adjacency.values.data(), 4 * adjacency.values.size())};
  const std::vector<float> ones(1 << 16, 1.0f);  // repeated as often as an unweighted graph needs
  if (adjacency.values.empty()) {
    for (std::int64_t left = entries; left > 0; left -= std::ssize(ones)) {
      values.push_back(bytes_of(ones.data(), 4 * static_cast<std::size_t>(std::min(left, std::ssize(ones)))));
    }
  }
  add("data.npy", "<f4", {entries}, values);
  writer.finish();
}

void print_csv(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context) {
  const Csr& adjacency = graph.adjacency;
  Printer print(out);
  const auto edge = [&](std::int64_t first, std::int64_t second, float weight) {
    print.csv_field(ids.name(first)) << ',';
    print.csv_field(ids.name(second));
    if (graph.weighted()) (print << ',').number(weight);
    print.end_line();
  };
  for (std::int64_t node = 0; node < adjacency.rows(); ++node) {
    if (adjacency.offsets[node] == adjacency.offsets[node + 1]) edge(node, node, 1);
  }
  for_edges(adjacency, context,
            [&](std::int64_t row, std::int64_t column, float weight) { edge(column, row, weight); });
  print.flush();
}

void check_graph_output(const std::filesystem::path& path, const WriteOptions& options) {
  validate_fields(options);
  const FileFormat format = written_format(path, options);
  if (format == FileFormat::konect || format == FileFormat::affinity) {
    refuse(fmt::format("output_format: {} is read, but not written", enum_name(format)));
  }
}

std::int64_t first_written_id(const std::filesystem::path& path, const WriteOptions& options) {
  return written_format(path, options) == FileFormat::npz ? 0 : 1;
}

void write_graph(const OutputPath& path, const GraphFile& file, const WriteOptions& options,
                 const Context& context) {
  context.check_cancelled();
  check_graph_output(path.path(), options);
  const FileFormat format = written_format(path.path(), options);
  const Graph& graph = file.graph;
  const NodeIds numbers = NodeIds::consecutive(graph.nodes(), 0);
  const NodeIds& ids = file.ids.size() == 0 ? numbers : file.ids;  // graphs that come from no file have none
  if (ids.size() != graph.nodes()) {
    refuse(fmt::format("{}: {} for {}", path.path().string(), count_of(ids.size(), "node id"),
                       count_of(graph.nodes(), "node")));
  }
  const bool numbered =
      format == FileFormat::matrix_market || format == FileFormat::metis || format == FileFormat::npz;
  if (numbered && !are_positions(ids)) {
    context.log(LogLevel::info,
                fmt::format("{}: its nodes are numbered from {}, in the order of their ids, which "
                            "this format does not keep",
                            path.path().string(), format == FileFormat::npz ? 0 : 1));
  }
  AtomicFile out(path);
  switch (format) {
    case FileFormat::matrix_market:
      print_matrix_market(out, graph, context);
      break;
    case FileFormat::metis:
      print_metis(out, graph, path.path().string(), context);
      break;
    case FileFormat::npz:
      print_npz(out, graph, context);
      break;
    case FileFormat::csv:
      print_csv(out, graph, ids, context);
      break;
    case FileFormat::graphml:
      print_graphml(out, graph, ids, context);
      break;
    case FileFormat::gml:
      print_gml(out, graph, ids, context);
      break;
    case FileFormat::pajek:
      print_pajek(out, graph, ids, context);
      break;
    default:
      print_edge_list(out, graph, ids, context);
  }
  context.check_cancelled();
  out.commit();
}

}  // namespace parsimony::graph
