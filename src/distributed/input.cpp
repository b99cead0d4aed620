#include "distributed/input.hpp"

#include <algorithm>

#include "core/together.hpp"
#include "distributed/slice.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

bool has_first_entry(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = std::min(head.find('\n', at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const std::size_t filled = line.find_first_not_of(" \t\r");
    const std::string_view rest = filled == line.npos ? "" : line.substr(filled);
    if (!rest.empty() && rest[0] != '%' && rest[0] != '#' && !rest.starts_with("//")) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

void Input::fail(std::string_view what) const {
  throw Error(ErrorCode::unsupported, name() + ": " + std::string(what));
}

void Input::read_head(std::int64_t bytes) {
  size = size_of_file(path);
  for (;; bytes *= 2) {
    head = read_begin(path, std::min(bytes, size));
    if (bytes >= size) return;
    head.resize(head.rfind('\n') + 1);  // npos + 1 is 0
    if (has_first_entry(head)) return;
  }
}

graph::Text Slice::text(const Input& input) const {
  graph::Text out(input.name(), bytes);
  out.first_line = first_line;
  return out;
}

Slice own_slice(const Input& input, std::int64_t body) {
  const std::int64_t bytes = input.size - body, p = input.communicator.rank(),
                     count = input.communicator.count();
  const auto at = [&](std::int64_t part) {
    return body + bytes / count * part + std::min(part, bytes % count);
  };
  Slice out;
  together(input.communicator, [&] {
    input.budget().require(at(p + 1) - at(p));
    out.bytes = read_slice(input.path, body, at(p), at(p + 1));
  });
  const auto before = std::count(input.head.begin(), input.head.begin() + body, '\n');
  out.first_line =
      1 + before + input.communicator.before(std::count(out.bytes.begin(), out.bytes.end(), '\n'));
  return out;
}

std::int64_t place_in_file(const Input& input, const graph::Text& head, std::int64_t place) {
  return place + (head.bytes.data() - input.head.data());
}

Graph graph_of(const Input& input, GraphRows rows, const AssemblyCounts& counts) {
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

}  // namespace parsimony::distributed
