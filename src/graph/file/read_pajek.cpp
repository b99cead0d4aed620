// Pajek networks (.net) [batagelj1998pajek]: *Vertices with labels, then *Arcs, *Edges, *Arcslist, *Edgeslist
// or *Matrix.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "core/count_of.hpp"
#include "graph/file/named_graph.hpp"

namespace parsimony::graph {
namespace {

class PajekParser {
 public:
  PajekParser(const Text& text, const MemoryBudget& budget, const Context& context)
      : text_(text), budget_(budget), context_(context) {}

  NamedGraph parse() {
    while (next_line()) {
      if (lines_++ % 65536 == 0) context_.check_cancelled();
      if (rest_.front() == '*') {
        start_section();
      } else {
        parse_line();
      }
    }
    if (section_.empty()) fail("no section; a Pajek file begins with *Vertices");
    name_nodes();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { text_.fail({at_, message}); }

  // Moves to the next line that is neither empty nor a comment. Bytes of other encodings in labels are kept.
  bool next_line() {
    while (next_ < text_.bytes.size()) {
      const std::size_t end = std::min(text_.bytes.find('\n', next_), text_.bytes.size());
      rest_ = text_.bytes.substr(next_, end - next_);
      next_ = end + 1;
      skip_blanks();
      at_ = rest_.data();
      if (!rest_.empty() && rest_.front() != '%') return true;
    }
    return false;
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size())); }

  std::string_view word() {
    const std::string_view found = rest_.substr(0, rest_.find_first_of(" \t\r"));
    rest_.remove_prefix(found.size());
    skip_blanks();
    return found;
  }

  std::int64_t integer(const char* what, std::int64_t low, std::int64_t high) {
    if (rest_.empty()) fail(fmt::format("{} is missing", what));
    const std::string_view found = word();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), value);
    if (error != std::errc{} || end != found.data() + found.size()) {
      fail(fmt::format("{} {} is not an integer", what, in_quotes(found)));
    }
    if (value < low || value > high) {
      fail(fmt::format("{} {} is out of range; must be {} to {}", what, value, low, high));
    }
    return value;
  }

  float weight(std::string_view found) {
    float value = 0;
    if (!parse_weight(found, value)) {
      fail(fmt::format("weight {} is not allowed; weights are numbers, at least 0 and finite in float32",
                       in_quotes(found)));
    }
    return value;
  }

  void start_section() {
    std::string name(word());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name == "*vertices") {
      if (nodes_ >= 0) fail("a second network; a file must hold one");
      nodes_ = integer("the number of vertices", 1, std::numeric_limits<std::int32_t>::max());
      // Nodes without lines cost nothing in a file.
      const auto size = static_cast<std::int64_t>(text_.bytes.size());
      if (nodes_ > (std::int64_t{1} << 20) + size)
        fail(fmt::format("{} in a file of {}", count_of(nodes_, "vertex", "vertices"),
                         count_of(size, "byte")));
      budget_.require(200 * nodes_);
      labels_.resize(nodes_);
      // A network of two sets of nodes states the size of the first; its matrix has no other rows.
      if (!rest_.empty()) first_set_ = integer("the number of vertices of the first set", 1, nodes_);
    } else if (name == "*network") {
      if (nodes_ >= 0) fail("a second network; a file must hold one");
    } else if (name == "*arcs" || name == "*edges" || name == "*arcslist" || name == "*edgeslist" ||
               name == "*matrix") {
      if (nodes_ < 0) fail(fmt::format("{} before *Vertices", name));
      if (name.compare(0, 5, "*arcs") == 0 || (name == "*matrix" && !two_sets())) directed_ = true;
    } else {
      fail(fmt::format(
          "section {} is not read; a network has *Vertices, *Arcs, *Edges, *Arcslist, *Edgeslist or "
          "*Matrix",
          in_quotes(name)));
    }
    section_ = name;
    row_ = 0;
  }

  void parse_line() {
    if (section_.empty()) {
      if (std::isdigit(static_cast<unsigned char>(rest_.front())) != 0)
        fail("a line of numbers before *Vertices");
      return;  // a title
    }
    if (section_ == "*network") return;
    if (section_ == "*vertices") return parse_vertex();
    if (section_ == "*matrix") return parse_row();
    const std::int64_t from = integer("the first vertex", 1, nodes_) - 1;
    if (section_ == "*arcs" || section_ == "*edges") {
      const std::int64_t to = integer("the second vertex", 1, nodes_) - 1;
      // After the weight come attributes of the drawing: w 2 c Blue.
      const bool has_weight = !rest_.empty() && !std::isalpha(static_cast<unsigned char>(rest_.front()));
      edges_.push_back({from, to, has_weight ? weight(word()) : 1.0f});
      weighted_ = weighted_ || has_weight;
      return;
    }
    while (!rest_.empty()) edges_.push_back({from, integer("a neighbour", 1, nodes_) - 1, 1});
  }

  void parse_vertex() {
    const std::int64_t node = integer("the vertex", 1, nodes_) - 1;
    if (rest_.empty()) return;
    std::string_view label;
    if (rest_.front() == '"') {
      const std::size_t end = rest_.find('"', 1);
      if (end == rest_.npos) fail("the quote of the label is not closed");
      label = rest_.substr(1, end - 1);
    } else {
      label = word();
    }
    if (std::any_of(label.begin(), label.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      fail(fmt::format("the label {} has control characters", in_quotes(label)));
    }
    if (!labels_[node].empty()) fail(fmt::format("vertex {} has a label already", node + 1));
    labels_[node] = label;
  }

  void parse_row() {
    const std::int64_t rows = two_sets() ? first_set_ : nodes_, first = two_sets() ? first_set_ : 0;
    if (row_ >= rows) fail(fmt::format("a row beyond those of the {}", count_of(rows, "vertex", "vertices")));
    for (std::int64_t column = first; column < nodes_; ++column) {
      if (rest_.empty())
        fail(fmt::format("{}; each row of the matrix has {}", count_of(column - first, "value"),
                         nodes_ - first));
      const float value = weight(word());
      if (value > 0) edges_.push_back({row_, column, value});
    }
    if (!rest_.empty())
      fail(fmt::format("more than {} in a row of the matrix", count_of(nodes_ - first, "value")));
    weighted_ = true;
    ++row_;
  }

  // The labels are the names if all are there and distinct, else the numbers.
  void name_nodes() {
    if (nodes_ < 0) fail("*Vertices is missing");
    std::vector<std::string_view> sorted = labels_;
    std::sort(sorted.begin(), sorted.end());
    const bool named =
        !sorted.front().empty() && std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    if (!named && sorted.front() != sorted.back()) {
      context_.log(LogLevel::info,
                   fmt::format("{}: labels of vertices are missing or repeated; the nodes have their "
                               "numbers for names",
                               text_.name));
    }
    if (!named) graph_.number_nodes(nodes_);
    for (std::int64_t node = 0; named && node < nodes_; ++node) graph_.add_node(std::string(labels_[node]));
    for (const auto& [from, to, value] : edges_) {
      weighted_ ? graph_.add_edge(from, to, value) : graph_.add_edge(from, to);
    }
    if (directed_) graph_.set_directed();
  }

  bool two_sets() const { return first_set_ > 0 && first_set_ < nodes_; }

  struct PajekEdge {
    std::int64_t from, to;
    float weight;
  };

  const Text& text_;
  const MemoryBudget& budget_;
  const Context& context_;
  std::size_t next_ = 0;
  std::int64_t lines_ = 0;
  std::string_view rest_;                // from the place in the line
  const char* at_ = text_.bytes.data();  // start of the line
  std::string section_;                  // in lower case
  std::int64_t nodes_ = -1;              // none stated yet
  std::int64_t first_set_ = 0;           // vertices of the first of two sets, if the file says so
  std::int64_t row_ = 0;                 // in the matrix
  std::vector<std::string_view> labels_;
  std::vector<PajekEdge> edges_;
  bool weighted_ = false;
  bool directed_ = false;
  NamedGraph graph_;
};

}  // namespace

GraphFile parse_pajek(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                      const Context& context) {
  // An edge takes at least four bytes, a node its label, twice, and an entry of a table.
  budget.require(12 * static_cast<std::int64_t>(bytes.size()));
  const Text text(budget.file, bytes);
  return PajekParser(text, budget, context).parse().assemble(options, budget, context);
}

}  // namespace parsimony::graph
