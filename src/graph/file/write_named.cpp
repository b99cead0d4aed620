// Writers of the formats that list their nodes by name: GraphML, GML, Pajek.
#include <fmt/format.h>

#include "graph/file/formats.hpp"
#include "graph/file/named_graph.hpp"
#include "graph/file/printer.hpp"
#include "graph/file/written_edges.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

void check_plain(const std::string& name, const char* format) {
  if (name.empty() || !is_plain_name(name)) {
    refuse(fmt::format("the node id {} cannot be in {}; ids there are UTF-8 without control characters",
                       in_quotes(name), format));
  }
}

std::string in_xml(const std::string& name) {
  check_plain(name, "GraphML");
  std::string out;
  for (const char c : name) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

// GML is ASCII: other characters are references to their codes.
std::string in_gml(const std::string& name) {
  check_plain(name, "GML");
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const auto first = static_cast<unsigned char>(name[at]);
    if (first < 0x80) {
      if (first == '"') {
        out += "&quot;";
      } else if (first == '&') {
        out += "&amp;";
      } else {
        out += name[at];
      }
      ++at;
      continue;
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    std::uint32_t code = first & (0xff >> (size + 1));
    for (std::size_t i = 1; i < size; ++i)
      code = code << 6 | (static_cast<unsigned char>(name[at + i]) & 0x3f);
    out += fmt::format("&#{};", code);
    at += size;
  }
  return out;
}

// A real number of GML has a point, also before an exponent.
std::string gml_number(float value) {
  std::string text = fmt::format("{}", value);
  const std::size_t exponent = text.find('e');
  if (exponent != text.npos && text.find('.') == text.npos) text.insert(exponent, ".0");
  return text;
}

}  // namespace

void print_graphml(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context) {
  Printer print(out);
  print << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n";
  if (graph.weighted())
    print << "<key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n";
  print << "<graph edgedefault=\"undirected\">";
  print.end_line();
  for (std::int64_t node = 0; node < graph.nodes(); ++node) {
    print << "<node id=\"" << in_xml(ids.name(node)) << "\"/>";
    print.end_line();
  }
  for_edges(graph.adjacency, context, [&](std::int64_t row, std::int64_t column, float weight) {
    print << "<edge source=\"" << in_xml(ids.name(column)) << "\" target=\"" << in_xml(ids.name(row));
    if (graph.weighted()) {
      (print << "\"><data key=\"weight\">").number(weight) << "</data></edge>";
    } else {
      print << "\"/>";
    }
    print.end_line();
  });
  print << "</graph>\n</graphml>\n";
  print.flush();
}

void print_gml(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context) {
  Printer print(out);
  print << "graph [\n  directed 0";
  print.end_line();
  for (std::int64_t node = 0; node < graph.nodes(); ++node) {
    (print << "  node [ id ").number(node) << " label \"" << in_gml(ids.name(node)) << "\" ]";
    print.end_line();
  }
  for_edges(graph.adjacency, context, [&](std::int64_t row, std::int64_t column, float weight) {
    (print << "  edge [ source ").number(column);
    (print << " target ").number(row);
    if (graph.weighted()) print << " weight " << gml_number(weight);
    print << " ]";
    print.end_line();
  });
  print << "]\n";
  print.flush();
}

void print_pajek(AtomicFile& out, const Graph& graph, const NodeIds& ids, const Context& context) {
  Printer print(out);
  (print << "*Vertices ").number(graph.nodes());
  print.end_line();
  for (std::int64_t node = 0; node < graph.nodes(); ++node) {
    const std::string name = ids.name(node);
    check_plain(name, "Pajek files");
    if (name.find('"') != name.npos) {
      refuse(fmt::format(
          "the node id {} cannot be in Pajek files, where ids have no quotes; use .graphml or .gml",
          in_quotes(name)));
    }
    print.number(node + 1) << " \"" << name << '"';
    print.end_line();
  }
  print << "*Edges";
  print.end_line();
  for_edges(graph.adjacency, context, [&](std::int64_t row, std::int64_t column, float weight) {
    (print.number(column + 1) << ' ').number(row + 1);
    if (graph.weighted()) (print << ' ').number(weight);
    print.end_line();
  });
  print.flush();
}

}  // namespace parsimony::graph
