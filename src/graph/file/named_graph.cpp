#include "graph/file/named_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>

namespace parsimony::graph {
namespace {

// The names as integers, unless one of them is written in another way than the integer would be.
std::optional<std::vector<std::int64_t>> as_numbers(const std::vector<std::string>& names) {
  std::vector<std::int64_t> out;
  out.reserve(names.size());
  for (const std::string& name : names) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc{} || end != name.data() + name.size() || std::to_string(value) != name) {
      return std::nullopt;
    }
    out.push_back(value);
  }
  return out;
}

// order[i] is the old place of the item that is now in place i.
template <class Item>
std::vector<std::int32_t> sort_items(std::vector<Item>& items) {
  std::vector<std::int32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return items[a] < items[b]; });
  std::vector<Item> sorted;
  sorted.reserve(items.size());
  for (const std::int32_t item : order) sorted.push_back(std::move(items[item]));
  items = std::move(sorted);
  return order;
}

}  // namespace

bool NamedGraph::add_node(std::string name) {
  const auto number = static_cast<std::int64_t>(names_.size());
  if (number >= std::numeric_limits<std::int32_t>::max()) return false;
  if (!numbers_.emplace(name, static_cast<std::int32_t>(number)).second) return false;
  names_.push_back(std::move(name));
  return true;
}

std::int64_t NamedGraph::find(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? -1 : found->second;
}

void NamedGraph::add_edge(std::int64_t from, std::int64_t to) {
  edges_.nodes.push_back({static_cast<std::int32_t>(from), static_cast<std::int32_t>(to)});
  edges_.weights.push_back(1);
}

void NamedGraph::add_edge(std::int64_t from, std::int64_t to, float weight) {
  add_edge(from, to);
  edges_.weights.back() = weight;
  weighted_ = true;
}

NodeIds NamedGraph::sort_names(std::vector<std::int32_t>& place) {
  std::vector<std::int32_t> order;
  NodeIds ids;
  if (auto numbers = as_numbers(names_)) {
    order = sort_items(*numbers);
    ids = NodeIds::numbers(std::move(*numbers));
  } else {
    order = sort_items(names_);
    ids = NodeIds::strings(std::move(names_));
  }
  place.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<std::int32_t>(i);
  return ids;
}

GraphFile NamedGraph::assemble(const ReadOptions& options, const MemoryBudget& budget,
                               const Context& context) && {
  if (nodes() == 0) throw Error(ErrorCode::format, fmt::format("{}: a graph without nodes", budget.file));
  numbers_ = {};
  NodeIds ids = NodeIds::consecutive(numbered_, 1);
  if (numbered_ == 0) {
    std::vector<std::int32_t> place;
    ids = sort_names(place);
    for (auto& [from, to] : edges_.nodes) {
      from = place[from];
      to = place[to];
    }
  }
  if (!weighted_) edges_.weights = {};
  if (directed_ && !options.symmetrize && !options.directed) {
    context.log(
        LogLevel::info,
        fmt::format("{}: a directed graph, in which an edge in either direction is an edge; option directed "
                    "adds up both",
                    budget.file));
  }
  const EntryMeaning meaning = directed_ ? EntryMeaning::edge_list : EntryMeaning::triangle;
  std::vector<EntryBlock> blocks(1);
  blocks[0] = std::move(edges_);
  return assemble_file(std::move(blocks), std::move(ids), assembling(meaning, weighted_, options), budget,
                       context);
}

bool parse_weight(std::string_view text, float& weight) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return false;
  text = text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && to_weight(value, weight);
}

bool is_plain_name(std::string_view name) {
  for (std::size_t at = 0; at < name.size();) {
    const auto first = static_cast<unsigned char>(name[at]);
    if (first < 0x20 || first == 0x7f) return false;
    const std::size_t size = first < 0x80    ? 1
                             : first >= 0xf5 ? 0
                             : first >= 0xf0 ? 4
                             : first >= 0xe0 ? 3
                             : first >= 0xc2 ? 2
                                             : 0;
    if (size == 0 || size > name.size() - at) return false;
    for (std::size_t i = 1; i < size; ++i) {
      if ((static_cast<unsigned char>(name[at + i]) & 0xc0) != 0x80) return false;
    }
    at += size;
  }
  return true;
}

}  // namespace parsimony::graph
