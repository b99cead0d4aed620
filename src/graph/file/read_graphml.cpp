// GraphML [brandes2002graphml] by pugixml, which expands no entities of a document.
#include <fmt/format.h>

#include <algorithm>

#include "graph/file/named_graph.hpp"
#ifdef PARSIMONY_PUGIXML
#include <pugixml.hpp>
#endif

namespace parsimony::graph {

#ifdef PARSIMONY_PUGIXML
namespace {

class GraphmlReader {
 public:
  GraphmlReader(const Text& text, const Context& context) : text_(text), context_(context) {}

  NamedGraph read() {
    const pugi::xml_parse_result parsed = document_.load_buffer(text_.bytes.data(), text_.bytes.size());
    if (parsed.status == pugi::status_out_of_memory) throw std::bad_alloc();
    if (!parsed) fail(parsed.offset, fmt::format("broken XML: {}", parsed.description()));
    const pugi::xml_node root = document_.document_element();
    if (name_of(root) != "graphml") fail(root, "the outer element is not graphml");
    find_weight(root);
    pugi::xml_node graph;
    for (const pugi::xml_node child : root.children()) {
      if (name_of(child) != "graph") continue;
      if (graph) fail(child, "a second graph; a file must hold one");
      graph = child;
    }
    if (!graph) fail(root, "no graph");
    read_nodes(graph);
    read_edges(graph);
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(std::ptrdiff_t offset, const std::string& message) const {
    const auto last = static_cast<std::ptrdiff_t>(text_.bytes.size());
    text_.fail({text_.bytes.data() + std::clamp<std::ptrdiff_t>(offset, 0, last), message});
  }
  [[noreturn]] void fail(const pugi::xml_node& node, const std::string& message) const {
    fail(node.offset_debug(), message);
  }

  static std::string_view name_of(const pugi::xml_node& node) { return node.name(); }

  void poll() {
    if (++elements_ % 65536 == 0) context_.check_cancelled();
  }

  std::string attribute(const pugi::xml_node& node, const char* name) const {
    const pugi::xml_attribute found = node.attribute(name);
    if (!found) fail(node, fmt::format("an element {} without {}", node.name(), name));
    if (!is_plain_name(found.value())) {
      fail(node, fmt::format("{} {} has control characters or is not UTF-8", name, in_quotes(found.value())));
    }
    return found.value();
  }

  float weight(const pugi::xml_node& node) const {
    float value = 0;
    const std::string_view found = node.text().get();
    if (!parse_weight(found, value)) {
      fail(node,
           fmt::format("weight {} is not allowed; weights are numbers, at least 0 and finite in float32",
                       in_quotes(found)));
    }
    return value;
  }

  // The key of edges that is called weight, and its default.
  void find_weight(const pugi::xml_node& root) {
    for (const pugi::xml_node key : root.children("key")) {
      const std::string_view of = key.attribute("for").as_string("all");
      const std::string_view name = key.attribute("attr.name").as_string(key.attribute("id").value());
      if (name != "weight" || (of != "edge" && of != "all")) continue;
      weight_key_ = key.attribute("id").value();
      default_weight_ = key.child("default");
      return;
    }
  }

  void read_nodes(const pugi::xml_node& graph) {
    for (const pugi::xml_node node : graph.children()) {
      poll();
      if (name_of(node) == "hyperedge") fail(node, "a hyperedge; edges join two nodes");
      if (name_of(node) != "node") continue;
      if (node.child("graph")) fail(node, "a graph within a node; graphs within graphs are not read");
      const std::string id = attribute(node, "id");
      if (!graph_.add_node(id)) fail(node, fmt::format("a second node of the id {}", in_quotes(id)));
    }
  }

  void read_edges(const pugi::xml_node& graph) {
    const bool directed = std::string_view(graph.attribute("edgedefault").value()) == "directed";
    for (const pugi::xml_node edge : graph.children("edge")) {
      poll();
      if (edge.attribute("directed").as_bool(directed)) graph_.set_directed();
      std::int64_t ends[2]{};
      for (int end = 0; end < 2; ++end) {
        const std::string name = attribute(edge, end == 0 ? "source" : "target");
        ends[end] = graph_.find(name);
        if (ends[end] < 0) fail(edge, fmt::format("no node has the id {}", in_quotes(name)));
      }
      pugi::xml_node data = default_weight_;
      for (const pugi::xml_node child : edge.children("data")) {
        if (!weight_key_.empty() && child.attribute("key").value() == weight_key_) data = child;
      }
      data ? graph_.add_edge(ends[0], ends[1], weight(data)) : graph_.add_edge(ends[0], ends[1]);
    }
  }

  const Text& text_;
  const Context& context_;
  pugi::xml_document document_;
  std::string weight_key_;  // id of the key; empty: none
  pugi::xml_node default_weight_;
  std::int64_t elements_ = 0;
  NamedGraph graph_;
};

}  // namespace

GraphFile parse_graphml(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                        const Context& context) {
  const Text text(budget.file, bytes);
  // The tree has a copy of the file, 80 bytes for an element or a text, and 40 for an attribute. A node takes
  // up to 200 bytes besides, with its name, and an edge 60 while the list grows.
  budget.require(static_cast<std::int64_t>(bytes.size()) + 80 * text.count("<") + 40 * text.count("=") +
                 200 * text.count("node") + 60 * text.count("edge"));
  return GraphmlReader(text, context).read().assemble(options, budget, context);
}

#else

GraphFile parse_graphml(std::string_view, const ReadOptions&, const MemoryBudget& budget, const Context&) {
  throw Error(
      ErrorCode::unsupported,
      fmt::format(
          "{}: this program was built without pugixml (Debian and Ubuntu: libpugixml-dev), so it does "
          "not read GraphML",
          budget.file));
}

#endif

}  // namespace parsimony::graph
