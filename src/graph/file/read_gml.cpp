// GML, the graph modelling language [himsolt1997gml]: lists of keys and values, one of which is the graph.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "graph/file/named_graph.hpp"

namespace parsimony::graph {
namespace {

constexpr int kMostDepth = 32;

// References as in SGML, &quot; and &#233;, become their characters. All other text stays.
std::string decode_references(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '&' ? text.find(';', at) : text.npos;
    const std::string_view name =
        end == text.npos ? "" : text.substr(at + 1, std::min<std::size_t>(end - at - 1, 8));
    std::uint32_t code = 0;
    if (name == "quot") code = '"';
    if (name == "amp") code = '&';
    if (name == "lt") code = '<';
    if (name == "gt") code = '>';
    if (name == "apos") code = '\'';
    if (name.substr(0, 1) == "#") {
      const bool hex = name.substr(1, 1) == "x";
      const char* from = name.data() + (hex ? 2 : 1);
      const auto [stop, error] = std::from_chars(from, name.data() + name.size(), code, hex ? 16 : 10);
      if (error != std::errc{} || stop != name.data() + name.size()) code = 0;
    }
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      out += text[at++];
      continue;
    }
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else {
      if (code >= 0x10000) out += static_cast<char>(0xf0 | code >> 18);
      if (code >= 0x800)
        out += static_cast<char>(code >= 0x10000 ? 0x80 | (code >> 12 & 0x3f) : 0xe0 | code >> 12);
      out += static_cast<char>(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f) : 0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
    at = end + 1;
  }
  return out;
}

struct GmlNode {
  std::int64_t id = 0;
  std::string_view label;  // as in the file; empty: none
};

struct GmlEdge {
  std::int64_t source = 0;
  std::int64_t target = 0;
  std::optional<float> weight;
  const char* at = nullptr;
};

class GmlParser {
 public:
  GmlParser(const Text& text, const Context& context)
      : text_(text), context_(context), at_(text.bytes.data()) {}

  NamedGraph parse() {
    while (next_key()) {
      if (key_ == "graph") {
        if (met_graph_) fail("a second graph; a file must hold one");
        met_graph_ = true;
        parse_graph_list();
      } else {
        skip_value(0);
      }
    }
    if (!met_graph_) fail("no graph; a GML file has 'graph [ … ]'");
    connect();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { text_.fail({at_, message}); }
  const char* end() const { return text_.bytes.data() + text_.bytes.size(); }

  // Moves over blanks and comments.
  void skip_blanks() {
    while (at_ < end()) {
      if (*at_ == '#') {
        while (at_ < end() && *at_ != '\n') ++at_;
      } else if (std::isspace(static_cast<unsigned char>(*at_))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view token() {
    const char* begin = at_;
    while (at_ < end() && !std::isspace(static_cast<unsigned char>(*at_)) && *at_ != '[' && *at_ != ']' &&
           *at_ != '"') {
      ++at_;
    }
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  // Reads the key of the next pair, in lower case. Returns false at the end of the list, which it consumes.
  bool next_key(bool nested = false) {
    if (++pairs_ % 65536 == 0) context_.check_cancelled();
    skip_blanks();
    if (at_ >= end()) {
      if (nested) fail("a list is not closed by ]");
      return false;
    }
    if (nested && *at_ == ']') {
      ++at_;
      return false;
    }
    pair_ = at_;
    key_ = token();
    std::transform(key_.begin(), key_.end(), key_.begin(), [](unsigned char c) { return std::tolower(c); });
    if (key_.empty() || !std::isalpha(static_cast<unsigned char>(key_[0]))) {
      at_ = pair_;
      fail(fmt::format("{} where the name of a key must be", in_quotes({pair_, 1})));
    }
    skip_blanks();
    return true;
  }

  void open_list() {
    if (at_ >= end() || *at_ != '[') fail(fmt::format("{} must be a list in [ ]", in_quotes(key_)));
    ++at_;
  }

  // Keys of programs may hold lists in lists; at most kMostDepth are read.
  void skip_value(int depth) {
    if (at_ < end() && *at_ == '[') {
      if (depth >= kMostDepth) fail(fmt::format("more than {} lists within each other", kMostDepth));
      ++at_;
      while (next_key(true)) skip_value(depth + 1);
    } else {
      scalar();
    }
  }

  // The text between quotes, or the number, as in the file.
  std::string_view scalar() {
    if (at_ < end() && *at_ == '"') {
      const char* begin = ++at_;
      while (at_ < end() && *at_ != '"') ++at_;
      if (at_ >= end()) {
        at_ = begin;
        fail("the quote of a text is not closed");
      }
      return {begin, static_cast<std::size_t>(at_++ - begin)};
    }
    const std::string_view found = token();
    if (found.empty()) fail(fmt::format("the value of {} is missing", in_quotes(key_)));
    return found;
  }

  std::int64_t integer() {
    const std::string_view found = scalar();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(found.data(), found.data() + found.size(), value);
    if (error != std::errc{} || stop != found.data() + found.size()) {
      fail(fmt::format("{} {} is not an integer of 64 bits", key_, in_quotes(found)));
    }
    return value;
  }

  void parse_graph_list() {
    open_list();
    while (next_key(true)) {
      if (key_ == "directed") {
        if (integer() != 0) graph_.set_directed();
      } else if (key_ == "node") {
        parse_node();
      } else if (key_ == "edge") {
        parse_edge();
      } else {
        skip_value(1);
      }
    }
  }

  void parse_node() {
    const char* start = pair_;
    bool has_id = false;
    GmlNode node;
    open_list();
    while (next_key(true)) {
      if (key_ == "id") {
        node.id = integer();
        has_id = true;
      } else if (key_ == "label") {
        node.label = scalar();
      } else {
        skip_value(2);
      }
    }
    if (!has_id) text_.fail({start, "a node without id"});
    if (!by_id_.emplace(node.id, static_cast<std::int32_t>(nodes_.size())).second) {
      text_.fail({start, fmt::format("a second node of the id {}", node.id)});
    }
    nodes_.push_back(node);
  }

  void parse_edge() {
    GmlEdge edge;
    edge.at = pair_;
    int ends = 0;
    bool has_weight = false;  // weight counts before value, the name that some data sets give it
    open_list();
    while (next_key(true)) {
      if (key_ == "source" || key_ == "target") {
        (key_ == "source" ? edge.source : edge.target) = integer();
        ends |= key_ == "source" ? 1 : 2;
      } else if (key_ == "weight" || (key_ == "value" && !has_weight)) {
        has_weight = has_weight || key_ == "weight";
        const std::string_view found = scalar();
        float weight = 0;
        if (!parse_weight(found, weight)) {
          fail(fmt::format("{} {} is not allowed; weights are numbers, at least 0 and finite in float32",
                           key_, in_quotes(found)));
        }
        edge.weight = weight;
      } else {
        skip_value(2);
      }
    }
    if (ends != 3) text_.fail({edge.at, "an edge without source or target"});
    edges_.push_back(edge);
  }

  // The labels are the names if all nodes have one and all are distinct, else the ids.
  void connect() {
    bool labels = !nodes_.empty(), any = false;
    for (const GmlNode& node : nodes_) {
      any = any || !node.label.empty();
      const std::string name = decode_references(node.label);
      labels = labels && is_plain_name(name) && !name.empty() && graph_.add_node(name);
    }
    if (!labels) {
      NamedGraph by_number;
      if (graph_.directed()) by_number.set_directed();
      graph_ = std::move(by_number);
      for (const GmlNode& node : nodes_) graph_.add_node(std::to_string(node.id));
      if (any) {
        context_.log(LogLevel::info,
                     fmt::format("{}: labels of nodes are missing or repeated; the nodes have their ids "
                                 "for names",
                                 text_.name));
      }
    }
    for (const GmlEdge& edge : edges_) {
      const auto source = by_id_.find(edge.source), target = by_id_.find(edge.target);
      if (source == by_id_.end() || target == by_id_.end()) {
        text_.fail({edge.at, fmt::format("no node has the id {}",
                                         source == by_id_.end() ? edge.source : edge.target)});
      }
      edge.weight ? graph_.add_edge(source->second, target->second, *edge.weight)
                  : graph_.add_edge(source->second, target->second);
    }
  }

  const Text& text_;
  const Context& context_;
  const char* at_;
  const char* pair_ = nullptr;  // where the last key starts
  std::string key_;
  std::int64_t pairs_ = 0;
  bool met_graph_ = false;
  std::vector<GmlNode> nodes_;
  std::vector<GmlEdge> edges_;
  std::unordered_map<std::int64_t, std::int32_t> by_id_;
  NamedGraph graph_;
};

}  // namespace

GraphFile parse_gml(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context) {
  const Text text(budget.file, bytes);
  // A node takes up to 250 bytes here, with a label as its name, and an edge 130 while its list grows.
  budget.require(250 * text.count("node") + 130 * text.count("["));
  return GmlParser(text, context).parse().assemble(options, budget, context);
}

}  // namespace parsimony::graph
