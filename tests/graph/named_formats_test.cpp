// Pajek, GraphML and GML: names, weights, directions, and faults with their lines.
#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "graph/graph_checks.hpp"
#include "limited_memory.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::named_formats_test {
namespace {

#ifdef PARSIMONY_PUGIXML
constexpr bool kReadsGraphml = true;
#else
constexpr bool kReadsGraphml = false;
#endif

struct Parsed {
  GraphFile file;
  std::vector<std::string> names;
  std::string notes;
};

Parsed parse_named(const std::string& text, const std::string& name, const ReadOptions& options = {},
                   Context context = Context(1)) {
  Parsed out;
  context.on_log = [&](LogLevel, std::string_view line) { out.notes += line; };
  out.file = parse_graph(text, name, options, context);
  for (std::int64_t i = 0; i < out.file.ids.size(); ++i) out.names.push_back(out.file.ids.name(i));
  return out;
}

using Names = std::vector<std::string>;
const EdgeMap kPathOfThree{{{0, 1}, 1}, {{1, 2}, 1}};

TEST(Pajek, LabelsEdgesArcsListsAndMatrices) {
  const std::string vertices = "*Vertices 3\n1 \"b c\" 0.1 0.2 ic Blue\n2 a\n3 \"d\"\n";
  for (const std::string body :
       {"*Edges\n1 2\n1 3\n", "*Arcs\n1 2\n1 3\n3 1\n", "*Edgeslist\n1 2 3\n", "*ARCSLIST\r\n1 2 3\r\n",
        "*Arcs :1 \"friends\"\n1 2 1 l x\n*Edges\n1 3 1\n"}) {
    const Parsed parsed = parse_named("% made by hand\n" + vertices + body, "/dev/stdin");
    EXPECT_EQ(edges_of(parsed.file.graph), (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}}))
        << body;  // in the order a, b c, d
    EXPECT_EQ(parsed.names, (Names{"a", "b c", "d"}));
    EXPECT_EQ(parsed.notes.find("directed") != std::string::npos,
              body.find("rc") != body.npos || body[1] == 'A');
  }
  EXPECT_EQ(
      edges_of(
          parse_named("*Network n\n*Vertices 3\n*Edges\n1 2 0.5\n2 3 w 2\n1 2 1.5\n", "g.net").file.graph),
      (EdgeMap{{{0, 1}, 2}, {{1, 2}, 1}}));
  EXPECT_EQ(edges_of(parse_named("*Vertices 3\n*Matrix\n0 1 0\n1 0 2\n0 2 0\n", "g.net").file.graph),
            (EdgeMap{{{0, 1}, 1}, {{1, 2}, 2}}));
  const Parsed numbered = parse_named("*Vertices 3\n1 \"x\"\n2 \"x\"\n*Edges\n1 2\n2 3\n", "g.net");
  EXPECT_EQ(numbered.names, (Names{"1", "2", "3"}));
  EXPECT_NE(numbered.notes.find("repeated"), std::string::npos);
}

TEST(Pajek, TitlesTwoSetsOfNodesAndLinesOfOldMacintosh) {
  const EdgeMap crossing{{{0, 3}, 1}, {{1, 3}, 2}, {{1, 4}, 1}, {{2, 4}, 3}};
  const std::string network = "A network of two sets\n*Vertices 5 3\n*Matrix\n1 0\n2 1\n0 3\n";
  const Parsed parsed = parse_named(network, "g.net");
  EXPECT_EQ(edges_of(parsed.file.graph), crossing);
  EXPECT_EQ(parsed.notes, "");  // nothing is directed
  expect_error(ErrorCode::format, "g.net:6: a row beyond those of the 2 vertices",
               [&] { parse_named("*Vertices 5 2\n*Matrix\n1 0 0\n0 1 0\n\n0 0 1\n", "g.net"); });
  std::string old = network;
  std::replace(old.begin(), old.end(), '\n', '\r');
  EXPECT_EQ(edges_of(parse_named(old, "g.net").file.graph), crossing);
  old.back() = '\n';  // appended by an editor of today
  EXPECT_EQ(edges_of(parse_named(old, "g.net").file.graph), crossing);
}

TEST(Pajek, VerticesWithoutLabelsAreNumbers) {
  const Parsed parsed = parse_named("*Vertices 120000\n*Edges\n119999 2\n", "g.net");
  EXPECT_EQ(parsed.names.size(), 120000u);
  EXPECT_EQ(parsed.names.back(), "120000");
  EXPECT_EQ(edges_of(parsed.file.graph), (EdgeMap{{{1, 119998}, 1}}));
}

TEST(Pajek, Faults) {
  const auto expect_fault = [](const char* message, const std::string& text) {
    expect_error(ErrorCode::format, message, [&] { parse_named(text, "g.net"); });
  };
  expect_fault("g.net:3: the second vertex 3 is out of range", "*Vertices 2\n*Arcs\n1 3\n");
  expect_fault("g.net:3: the second vertex is missing", "*Vertices 2\n*Arcs\n1\n");
  expect_fault("g.net:3: weight '-1'", "*Vertices 2\n*Arcs\n1 2 -1\n");
  expect_fault("g.net:2: section '*partition'", "*Vertices 2\n*Partition p\n1\n");
  expect_fault("g.net:2: the quote", "*Vertices 2\n1 \"a\n");
  expect_fault("g.net:2: a second network", "*Vertices 2\n*Vertices 2\n");
  expect_fault("g.net:1: *arcs before *Vertices", "*Arcs\n1 2\n");
  expect_fault("g.net:1: a line of numbers before", "1 2\n*Vertices 2\n");
  expect_fault("g.net:1: 2000000000 vertices in a file", "*Vertices 2000000000\n");
  expect_fault("g.net:3: 1 value; each row", "*Vertices 2\n*Matrix\n0\n");
  expect_fault("g.net:3: more than 2 values", "*Vertices 2\n*Matrix\n0 1 1\n");
}

const std::string kGmlNodes =
    "node [ id 7 label \"b\" ] node [ id 3 label \"a\" ] node [ id 5 label \"c &amp; &#233;\" ]";

TEST(Gml, NamesWeightsAndWhatIsPassedOver) {
  const std::string text =
      "# a comment\nCreator \"a [ program ]\"\nVersion 1\ngraph\n[\n  directed 0\n  graphics [ x [ y 1 ] "
      "]\n" +
      kGmlNodes + "\n edge [ source 3 target 7 weight 0.5 value 9 ] edge [ target 5 source 7 value +2 ]]\n";
  const Parsed parsed = parse_named(text, "/dev/stdin");
  EXPECT_EQ(parsed.names, (Names{"a", "b", "c & \xc3\xa9"}));
  EXPECT_EQ(edges_of(parsed.file.graph), (EdgeMap{{{0, 1}, 0.5f}, {{1, 2}, 2}}));
  const Parsed numbered =
      parse_named("graph [ node [ id 10 ] node [ id 9 ] edge [ source 9 target 10 ] ]", "g.gml");
  EXPECT_EQ(numbered.names, (Names{"9", "10"}));
  EXPECT_EQ(numbered.notes, "");
  const Parsed directed = parse_named(
      "graph [ directed 1 " + kGmlNodes + " edge [ source 3 target 7 ] edge [ source 7 target 3 ] ]",
      "g.gml");
  EXPECT_EQ(edges_of(directed.file.graph), (EdgeMap{{{0, 1}, 1}}));
  EXPECT_NE(directed.notes.find("directed"), std::string::npos);
  const Parsed same = parse_named(
      "graph [ node [ id 1 label \"x\" ] node [ id 2 label \"x\" ] edge [ source 1 target 2 ] ]", "g.gml");
  EXPECT_EQ(same.names, (Names{"1", "2"}));
  EXPECT_NE(same.notes.find("repeated"), std::string::npos);
}

TEST(Gml, Faults) {
  const auto expect_fault = [](const char* message, const std::string& text) {
    expect_error(ErrorCode::format, message, [&] { parse_named(text, "g.gml"); });
  };
  expect_fault("g.gml:2: no node has the id 2", "graph [ node [ id 1 ]\nedge [ source 1 target 2 ] ]");
  expect_fault("g.gml:2: a second node of the id 1", "graph [ node [ id 1 ]\nnode [ id 1 ] ]");
  expect_fault("g.gml:1: a node without id", "graph [ node [ label \"1\" ] ]");
  expect_fault("g.gml:1: an edge without", "graph [ node [ id 1 ] edge [ source 1 ] ]");
  expect_fault("not closed by ]", "graph [ node [ id 1 ]");
  expect_fault("the quote", "graph [ node [ id 1 label \"x ] ]");
  expect_fault("a second graph", "graph [ node [ id 1 ] ] graph [ ]");
  expect_fault("'1.5' is not an integer", "graph [ node [ id 1.5 ] ]");
  expect_fault("weight '-1'", "graph [ node [ id 1 ] edge [ source 1 target 1 weight -1 ] ]");
  expect_fault("no graph", "Creator \"x\"\n");
  std::string nested = "graph [ ";
  for (int i = 0; i < 100000; ++i) nested += "a [ ";
  expect_fault("within each other", nested);
}

std::string graphml(const std::string& body, const std::string& edge_default = "undirected") {
  return "<?xml version=\"1.0\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
         "<key id=\"d1\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n<graph edgedefault=\"" +
         edge_default + "\">\n" + body + "</graph></graphml>\n";
}
const std::string kNodesAbc =
    "<node id=\"c\"/><node id=\"a &amp; &lt;\"/><node id=\"b\"><data key=\"x\">1</data></node>\n";

TEST(Graphml, NamesWeightsAndDirections) {
  if (!kReadsGraphml) GTEST_SKIP() << "built without pugixml";
  const std::string edges =
      "<edge source=\"a &amp; &lt;\" target=\"b\"><data key=\"d0\">7</data><data key=\"d1\"> 0.5 "
      "</data></edge>\n"
      "<edge source=\"c\" target=\"b\"/>\n";
  const Parsed parsed = parse_named(graphml(kNodesAbc + edges), "/dev/stdin");
  EXPECT_EQ(parsed.names, (Names{"a & <", "b", "c"}));
  EXPECT_EQ(edges_of(parsed.file.graph), (EdgeMap{{{0, 1}, 0.5f}, {{1, 2}, 1}}));
  EXPECT_EQ(parsed.notes, "");
  EXPECT_NE(parse_named(graphml(kNodesAbc + edges, "directed"), "g.graphml").notes.find("directed"),
            std::string::npos);
  std::string weighted = graphml("<node id=\"1\"/><node id=\"2\"/><edge source=\"1\" target=\"2\"/>");
  weighted.replace(weighted.find("\"double\"/>"), 10, "\"double\"><default>3</default></key>");
  EXPECT_EQ(edges_of(parse_named(weighted, "g.graphml").file.graph), (EdgeMap{{{0, 1}, 3}}));
}

TEST(Graphml, FaultsAndEntities) {
  if (!kReadsGraphml) GTEST_SKIP() << "built without pugixml";
  const auto expect_fault = [](const char* message, const std::string& text) {
    expect_error(ErrorCode::format, message, [&] { parse_named(text, "g.graphml"); });
  };
  expect_fault("g.graphml:6: no node has the id 'z'",
               graphml(kNodesAbc + "<edge source=\"z\" target=\"b\"/>"));
  expect_fault("g.graphml:5: a second node of the id 'a'", graphml("<node id=\"a\"/><node id=\"a\"/>"));
  expect_fault("an element node without id", graphml("<node/>"));
  expect_fault("a graph within a node", graphml("<node id=\"a\"><graph/></node>"));
  expect_fault("a hyperedge", graphml("<hyperedge/>"));
  expect_fault("weight 'x'",
               graphml(kNodesAbc + "<edge source=\"b\" target=\"c\"><data key=\"d1\">x</data></edge>"));
  expect_fault("broken XML", "<graphml><graph>");
  expect_fault("a graph without nodes", "<graphml><graph/></graphml>");
  // Entities of a document are not expanded, and files are not opened.
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE g [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY f "
      "SYSTEM "
      "\"file:///etc/passwd\">]><graphml><graph edgedefault=\"undirected\"><node id=\"&b;\"/><node "
      "id=\"&f;\"/>"
      "<edge source=\"&b;\" target=\"&f;\"/></graph></graphml>";
  EXPECT_EQ(parse_named(bomb, "g.graphml").names, (Names{"&b;", "&f;"}));
}

TEST(NamedFormats, WrittenGraphsReadAsTheSame) {
  const TemporaryDirectory directory;
  std::vector<std::string> endings{".gml", ".net"};
  if (kReadsGraphml) endings.emplace_back(".graphml");
  for (const Weights weights : {Weights::none, Weights::whole, Weights::real}) {
    const Graph graph = random_graph(60, 90, weights);
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < graph.nodes(); ++i)
      names.push_back("n\xc3\xa9 & <" + std::to_string(100 + i) + ">");
    for (const NodeIds& ids : {NodeIds::strings(names), NodeIds::consecutive(graph.nodes(), -3)}) {
      for (const std::string& ending : endings) {
        SCOPED_TRACE(ending);
        write_graph(directory / ("g" + ending), {.graph = graph, .ids = ids});
        const GraphFile back = read_graph(directory / ("g" + ending));
        EXPECT_TRUE(same(back.graph, graph));
        for (std::int64_t i = 0; i < graph.nodes(); ++i) ASSERT_EQ(back.ids.name(i), ids.name(i));
      }
    }
  }
  const GraphFile quoted{.graph = graph_of(1, {}, false), .ids = NodeIds::strings({"a\"b"})};
  expect_error(ErrorCode::invalid_argument, "use .graphml or .gml",
               [&] { write_graph(directory / "q.net", quoted); });
  const GraphFile control{.graph = graph_of(1, {}, false), .ids = NodeIds::strings({"a\tb"})};
  expect_error(ErrorCode::invalid_argument, "control characters",
               [&] { write_graph(directory / "q.gml", control); });
}

TEST(NamedFormats, EveryTruncationIsAnErrorOrAGraph) {
  const std::vector<std::pair<std::string, std::string>> wholes{
      {"g.net", "*Vertices 3\n1 \"b c\"\n2 a\n*Edges\n1 2 0.5\n*Arcs\n2 3\n"},
      {"g.gml", "graph [ directed 1 " + kGmlNodes + " edge [ source 3 target 7 weight 0.5 ] ]"},
      {"g.graphml", graphml(kNodesAbc + "<edge source=\"b\" target=\"c\"><data key=\"d1\">2</data></edge>")}};
  for (const auto& [name, whole] : wholes) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::string damaged = whole;
      damaged[size] ^= 0x15;
      for (const std::string& text : {whole.substr(0, size), damaged}) {
        try {
          edges_of(parse_named(text, name, {}, testing::limited_memory(1 << 20)).file.graph);
        } catch (const Error& error) {
          EXPECT_NE(static_cast<int>(error.code()), static_cast<int>(ErrorCode::internal)) << error.what();
        }
      }
    }
  }
}

}  // namespace
}  // namespace parsimony::graph::named_formats_test
