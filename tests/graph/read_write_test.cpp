// A written graph reads as the same graph, in every format and compression.
#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::read_write_test {
namespace {

const std::vector<std::string> kCompressions{"", ".gz", ".zst"};

void expect_round_trip(const Graph& graph, const std::vector<std::string>& endings) {
  const TemporaryDirectory directory;
  for (const std::string& ending : endings) {
    for (const std::string& compression : kCompressions) {
      const auto path = directory / ("graph" + ending + compression);
      SCOPED_TRACE(path.filename().string());
      write_graph(path, {.graph = graph, .ids = NodeIds::consecutive(graph.nodes(), 0)});
      const GraphFile back = read_graph(path);
      EXPECT_TRUE(same(back.graph, graph));
      EXPECT_EQ(back.duplicates_merged, 0);
      EXPECT_EQ(back.zeros_dropped, 0);
    }
  }
}

TEST(WriteGraph, RoundTripsInEveryFormat) {
  expect_round_trip(random_graph(200, 300, Weights::none),
                    {".mtx", ".graph", ".npz", ".txt", ".tsv", ".edges"});
  expect_round_trip(random_graph(200, 300, Weights::whole), {".mtx", ".graph", ".npz", ".txt", ".csv"});
  expect_round_trip(random_graph(200, 300, Weights::real), {".mtx", ".npz", ".txt"});
  expect_round_trip(graph_of(3, {}, false), {".mtx", ".graph", ".npz", ".txt"});
}

TEST(WriteGraph, EdgeListsKeepIds) {
  const TemporaryDirectory directory;
  for (const std::string content :
       {"-5 3\n3 9223372036854775807\n8 8\n", "b a\nc a\n#not c\nz z\n", "a #b\n", "007 7\n",
        "\"1 2\",\"3 4\"\n", "\"#a\",\"//b\"\n\"%\",\"say \"\"c\"\"\"\n", "\" x \",\"y,z;\"\n"}) {
    const GraphFile file = read_graph(directory.file("in.txt", content));
    write_graph(directory / "out.txt", file);
    const GraphFile back = read_graph(directory / "out.txt");
    EXPECT_TRUE(same(file.graph, back.graph)) << content;
    ASSERT_EQ(file.ids.size(), back.ids.size());
    for (std::int64_t i = 0; i < file.ids.size(); ++i) EXPECT_EQ(file.ids.name(i), back.ids.name(i));
  }
}

TEST(WriteGraph, AGraphWithoutIdsIsNumberedFromZero) {
  const TemporaryDirectory directory;
  write_graph(directory / "out.txt", {.graph = graph_of(2, {{{0, 1}, 1}}, false)});
  EXPECT_EQ(directory.content(directory / "out.txt"), "0\t1\n");
}

TEST(WriteGraph, SaysWhatAFormatCannotHold) {
  const TemporaryDirectory directory;
  const GraphFile half{.graph = graph_of(2, {{{0, 1}, 0.5f}}, true), .ids = NodeIds::consecutive(2, 0)};
  expect_error(ErrorCode::invalid_argument, "write .mtx instead",
               [&] { write_graph(directory / "a.graph", half); });
  EXPECT_FALSE(std::filesystem::exists(directory / "a.graph"));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));  // no temporary file is left either
  const GraphFile tab{.graph = graph_of(2, {{{0, 1}, 1}}, false), .ids = NodeIds::strings({"a\tb", "c"})};
  expect_error(ErrorCode::invalid_argument, "'a\\x09b'", [&] { write_graph(directory / "a.txt", tab); });
  const GraphFile few{.graph = half.graph, .ids = NodeIds::consecutive(1, 0)};
  expect_error(ErrorCode::invalid_argument, "1 node id for 2 nodes",
               [&] { write_graph(directory / "a.txt", few); });
}

TEST(WriteGraph, SaysWhenIdsAreLost) {
  const TemporaryDirectory directory;
  const Graph path = graph_of(2, {{{0, 1}, 1}}, false);
  const auto notes = [&](const std::string& name, NodeIds ids) {
    std::string text;
    Context context(1);
    context.on_log = [&](LogLevel, std::string_view line) { text += line; };
    write_graph(directory / name, GraphFile{.graph = path, .ids = std::move(ids)}, {}, context);
    return text;
  };
  for (const std::string name : {"a.mtx", "a.graph", "a.npz.gz"}) {
    EXPECT_EQ(
        notes(name, {}) + notes(name, NodeIds::consecutive(2, 0)) + notes(name, NodeIds::consecutive(2, 1)),
        "");
    EXPECT_NE(notes(name, NodeIds::numbers({1, 3})).find(name), std::string::npos);
    EXPECT_NE(notes(name, NodeIds::consecutive(2, 2)).find("numbered from"), std::string::npos);
    EXPECT_NE(notes(name, NodeIds::strings({"0", "b"})).find("numbered from"), std::string::npos);
  }
  EXPECT_EQ(notes("a.txt", NodeIds::numbers({1, 3})), "");
}

TEST(WriteGraph, TheSameGraphIsTheSameBytes) {
  const TemporaryDirectory directory;
  const GraphFile file{.graph = random_graph(100, 200, Weights::real), .ids = NodeIds::consecutive(100, 0)};
  for (const std::string ending : {".mtx", ".npz", ".txt", ".txt.gz", ".mtx.zst"}) {
    write_graph(directory / ("a" + ending), file);
    write_graph(directory / ("b" + ending), file);
    EXPECT_EQ(directory.content(directory / ("a" + ending)), directory.content(directory / ("b" + ending)));
  }
}

}  // namespace
}  // namespace parsimony::graph::read_write_test
