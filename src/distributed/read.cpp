// Implements parsimony/distributed/graph.hpp.
#include <fmt/format.h>

#include <utility>

#include "core/together.hpp"
#include "distributed/input.hpp"
#include "graph/file/endings.hpp"
#include "graph/file/formats.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

using graph::FileFormat;

constexpr std::int64_t kHead = 1 << 16;  // bytes that all processes read

void check_readable(const Input& input) {
  const std::string& head = input.head;
  for (const std::string_view magic : {"\x1f\x8b", "\x28\xb5\x2f\xfd"}) {
    if (head.starts_with(magic)) {
      input.fail(
          "is compressed, and only plain text can be read in slices by several processes; decompress it "
          "first");
    }
  }
  graph::refuse_foreign_bytes(head, input.name());
  const std::size_t end = head.find_first_of("\r\n");
  if (end != head.npos && head[end] == '\r' && head.find('\n', end) == head.npos) {
    input.fail(
        "ends its lines with \\r alone, which only one process reads; parsimony convert makes a file "
        "for many");
  }
  const graph::ReadOptions& options = input.options;
  if (options.symmetrize || options.directed || options.bipartite || options.affinity) {
    input.fail(
        "options symmetrize, directed, bipartite and affinity need the graph in one process; parsimony "
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
  if (format == FileFormat::csv) format = FileFormat::edge_list;
  if (format == FileFormat::edge_list) graph::refuse_foreign_text(input.head, input.name());
  if (format != FileFormat::edge_list && format != FileFormat::matrix_market && format != FileFormat::metis) {
    input.fail(
        fmt::format("is {}; several processes read Matrix Market, METIS and edge lists: parsimony "
                    "convert makes one",
                    enum_name(format)));
  }
  if (!input.options.columns.empty() && format != FileFormat::edge_list) {
    refuse(fmt::format("columns: {} is not an edge list; only those have columns to choose", input.name()));
  }
  return format;
}

}  // namespace

std::int64_t Graph::first() const {
  return rows->partition.begin();
}

std::int64_t Graph::own() const {
  return rows->own();
}

graph::NodeIds Graph::collect_ids(const Processes& processes) const {
  std::int64_t named[] = {std::ssize(ids), std::ssize(words)};
  processes.sum(std::span<std::int64_t>(named));
  if (named[0] > 0) return graph::NodeIds::numbers(processes.collect(std::span<const std::int64_t>(ids)));
  if (named[1] == 0) return graph::NodeIds::consecutive(nodes, first_id);
  std::string text;
  std::vector<std::int64_t> lengths;
  for (const std::string& word : words) {
    text += word;
    lengths.push_back(std::ssize(word));
  }
  lengths = processes.collect(std::span<const std::int64_t>(lengths));
  const std::vector<char> all = processes.collect(std::span<const char>(text));
  std::vector<std::string> names;
  names.reserve(lengths.size());
  const char* at = all.data();
  for (const std::int64_t length : lengths) {
    names.emplace_back(at, at + length);
    at += length;
  }
  return graph::NodeIds::strings(std::move(names));
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
    input.read_head(kHead);
    check_readable(input);
    format = format_of(input);
  });
  if (format == FileFormat::matrix_market) return read_matrix_market(input);
  if (format == FileFormat::metis) return read_metis(input);
  return read_edge_list(input);
}

}  // namespace parsimony::distributed
