#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "distributed/number_ids.hpp"
#include "distributed/slice.hpp"
#include "distributed/world.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/distributed/graph.hpp"

namespace parsimony::distributed::read_test {
namespace {

using testing::shared_file;
using testing::world;

// Wherever the ranges of bytes meet, each line is in one slice, whole.
TEST(ReadSlice, HasEachLineOnceForABoundaryAtEveryByte) {
  for (const std::string text : {"a b\nccc\n\n\nd\n", "a b\nccc\n\nlast", "\n\n\n", "one line", ""}) {
    const auto path = shared_file("slices.txt", text);
    const auto size = static_cast<std::int64_t>(text.size());
    for (std::int64_t body = 0; body <= std::min<std::int64_t>(size, 4); body += 4) {
      for (std::int64_t first = body; first <= size; ++first) {
        for (std::int64_t second = first; second <= size; ++second) {
          const std::string slices[] = {read_slice(path, body, body, first),
                                        read_slice(path, body, first, second),
                                        read_slice(path, body, second, size)};
          EXPECT_EQ(slices[0] + slices[1] + slices[2], text.substr(body)) << first << " " << second;
          for (const std::string& slice : slices) {
            if (!slice.empty() && &slice != &slices[2]) {
              EXPECT_TRUE(slice.back() == '\n' || slice.size() + 1 > text.size() - body ||
                          text.ends_with(slice));
            }
          }
        }
      }
    }
    MPI_Barrier(world().comm());
  }
}

// Every process has some of the ids, in two pieces; nodes are places among the sorted ids of all.
template <class Id>
void expect_places(std::vector<Id> all) {
  std::vector<std::vector<Id>> mine(2);
  for (std::size_t i = world().rank(); i < all.size(); i += world().count())
    mine[i % 3 == 0].push_back(all[i]);
  for (auto& piece : mine) piece.resize((piece.size() + 1) / 2 * 2, all[0]);
  const Context context(2);
  const NumberedIds<Id> numbered = number_ids(world(), mine, {"test", context}, context);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  ASSERT_EQ(numbered.table.nodes(), std::ssize(all));
  for (std::size_t p = 0; p < mine.size(); ++p) {
    ASSERT_EQ(numbered.blocks[p].nodes.size(), mine[p].size() / 2);
    for (std::size_t i = 0; i < mine[p].size(); ++i) {
      EXPECT_EQ(all[numbered.blocks[p].nodes[i / 2][i % 2]], mine[p][i]);
    }
  }
  const std::vector<std::int32_t> some{0, 700, 5, static_cast<std::int32_t>(all.size()) - 1};
  const std::vector<std::string> names = numbered.table.names(world(), some);
  for (std::size_t i = 0; i < some.size(); ++i) {
    std::ostringstream text;
    text << all[some[i]];
    EXPECT_EQ(names[i], text.str());
  }
  std::int64_t at = numbered.table.begins[world().rank()];
  for (const auto& own : numbered.table.own) EXPECT_EQ(own, all[at++]);
}

TEST(NumberIds, AreThePlacesInTheSortedIds) {
  std::vector<std::int64_t> wide, narrow;
  for (std::int64_t i = 0; i < 3000; ++i) {
    wide.push_back((i * 7919) % 1501 * 1000003 - 700000000);
    narrow.push_back((i * 7919) % 1501 * 3 - 2000);
  }
  expect_places(wide);
  expect_places(narrow);
  wide.insert(wide.end(),
              {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()});
  expect_places(wide);
}

TEST(NumberIds, OrderWordsByTheirBytes) {
  std::vector<std::string> words;
  for (int i = 0; i < 3000; ++i)
    words.push_back(std::string(i % 5, "z\xc3"[i % 2]) + std::to_string(i * 7919 % 1501));
  expect_places(std::vector<std::string_view>(words.begin(), words.end()));
}

void expect_graph_of_one_process(const std::string& name, const std::string& text,
                                 const graph::ReadOptions& options = {}) {
  const auto path = shared_file(name, text);
  const Context context(1);
  const graph::GraphFile one = graph::read_graph(path, options, context);
  const Graph many = read_graph(path, options, world(), context);
  EXPECT_EQ(many.nodes, one.graph.nodes());
  EXPECT_EQ(many.edges, one.graph.edges());
  EXPECT_EQ(many.weighted, one.graph.weighted());
  EXPECT_EQ(many.self_loops_dropped, one.self_loops_dropped) << text;
  EXPECT_EQ(many.duplicates_merged, one.duplicates_merged) << text;
  EXPECT_EQ(many.zeros_dropped, one.zeros_dropped) << text;
  const CsrView w = one.graph;
  const GraphRows& rows = *many.rows;
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    const std::int64_t global = rows.partition.begin() + i;
    ASSERT_EQ(rows.offsets[i + 1] - rows.offsets[i], w.offsets[global + 1] - w.offsets[global]);
    for (std::int64_t e = rows.offsets[i], at = w.offsets[global]; e < rows.offsets[i + 1]; ++e, ++at) {
      EXPECT_EQ(rows.global(rows.columns[e]), w.columns[at]);
      if (many.weighted) {
        EXPECT_EQ(rows.values[e], w.values[at]);
      }
    }
  }
  const graph::NodeIds ids = many.collect_ids(world());
  if (world().rank() == 0) {
    for (std::int64_t i = 0; i < many.nodes; ++i) ASSERT_EQ(ids.name(i), one.ids.name(i));
  }
  MPI_Barrier(world().comm());
}

TEST(ReadGraph, IsThatOfOneProcess) {
  expect_graph_of_one_process(
      "a.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n% c\n4 4 4\n2 1\n3 1\n3 3\n4 3");
  expect_graph_of_one_process("b.mtx",
                              "%%MatrixMarket matrix coordinate real general\n3 3 6\n1 2 1.5D0\n2 1 1.5\n"
                              "2 3 0\n3 2 0\n1 1 2\n2 2 7\n");
  expect_graph_of_one_process("c.txt", "# c\n10 20\n20 10\n-5 20\n10 20\n20 20\n900000000000 -5\n");
  expect_graph_of_one_process("d.txt",
                              "source\ttarget\tweight\n3\t4\t2.5\n4\t9\t1\n3\t4\t1\n9\t9\t3\n1\t9\t0\n");
  // A head beyond the bytes that all processes read at first, and more rows than one block.
  std::string text = "%%MatrixMarket matrix coordinate pattern symmetric\n";
  for (int i = 0; i < 3000; ++i) text += "% a comment of some length, as files of collections have\n";
  text += "3000 3000 5998\n";
  for (int i = 2; i <= 3000; ++i) text += std::to_string(i) + " " + std::to_string(i - 1) + "\n";
  for (int i = 3000; i >= 2; --i)
    text += std::to_string(i) + " " + std::to_string(1 + i * 7 % (i - 1)) + "\n";
  expect_graph_of_one_process("e.mtx", text);
}

// Lists of words, of integers among them, and tables: with quotes, a header, and edges on the first line.
TEST(ReadGraph, WordsAreThoseOfOneProcess) {
  expect_graph_of_one_process("words.txt", "alice bob\nbob carol\n# c\nalice bob\ndave dave\n7 alice\n");
  expect_graph_of_one_process("late.txt", "1 2\n2 3\n3 4\n4 007\n");
  expect_graph_of_one_process("table.csv",
                              "source,target,weight\nx,\"y, \"\"z\"\"\",1.5\n\"y, \"\"z\"\"\",v,2\nv,x,0\n");
  expect_graph_of_one_process("numbers.csv", "\"from\",\"to\"\n\"5\",\"7\"\n\"7\",\"-3\"\n");
  expect_graph_of_one_process("columns.tsv", "a\tb\tc\td\nu\t1\tv\t2\nv\t4\tw\t2\n", {.columns = "1,3,2"});
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    text += "node" + std::to_string(i * 7919 % 1501) + ";\xc3\xa9" + std::to_string(i * 31 % 997) + ";0," +
            std::to_string(1 + i % 7) + "\n";
  }
  expect_graph_of_one_process("many.txt", "von;nach;gewicht\n" + text);
  expect_graph_of_one_process("many_without_header.txt", text);
  // Lines longer than the bytes that all processes read at first.
  const std::string name(100000, 'x');
  expect_graph_of_one_process("long.txt", "a b\n" + name + " b\n" + name + " " + name + "y\n");
}

TEST(ReadGraph, MetisIsThatOfOneProcess) {
  expect_graph_of_one_process("a.graph", "% c\n4 3\n2 3\n1\n% c\n1 4\n3");
  expect_graph_of_one_process("isolated.graph", "5 2\n2\n1 4\n\n2\n\n\n\n");
  expect_graph_of_one_process("weights.graph", "3 2 111 2\n9 1 1 2 2.5\n9 1 1 1 2.5 3 4\n9 1 1 2 4\n");
  std::string text;
  std::int64_t edges = 0;
  constexpr int kNodes = 3000;
  std::vector<std::string> lines(kNodes);
  for (int i = 0; i < kNodes; ++i) {
    const int other = (i * 7919 + 13) % kNodes;
    if (other == i || i * 7919LL % 5 == 0) continue;
    if (lines[i].find(" " + std::to_string(other + 1) + " ") != std::string::npos) continue;
    lines[i] += " " + std::to_string(other + 1) + " ";
    lines[other] += " " + std::to_string(i + 1) + " ";
    ++edges;
  }
  for (const std::string& line : lines) text += line + "\n";
  expect_graph_of_one_process("many.graph",
                              std::to_string(kNodes) + " " + std::to_string(edges) + "\n" + text);
}

// A file shorter than the processes, at every length: the slices move over all its bytes.
TEST(ReadGraph, TinyFilesOfEveryLength) {
  std::string comment = "#";
  for (int i = 0; i < 12; ++i) {
    comment += 'x';
    expect_graph_of_one_process("tiny.txt",
                                comment + "\n1 2\n2 3\n30 4\n" + std::string(i % 3, '\n') + "4 1");
  }
}

// One message with the line of the file, from whichever process has it, in all processes.
void expect_error(const std::string& name, const std::string& text, const std::string& expected) {
  const auto path = shared_file(name, text);
  std::string message = "none";
  try {
    read_graph(path, {}, world(), Context(1));
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_NE(message.find(expected), message.npos) << message;
  MPI_Barrier(world().comm());
}

TEST(ReadGraph, FaultsAreThoseOfAllProcesses) {
  std::string text = "%%MatrixMarket matrix coordinate pattern symmetric\n9 9 100\n";
  for (int i = 0; i < 100; ++i) text += i == 80 ? "2 x\n" : "3 2\n";
  expect_error("bad.mtx", text, "bad.mtx:83: ");
  expect_error("short.mtx", text.substr(0, text.find("3 2\n") + 40), "short.mtx:2: 100 entries stated, ");
  expect_error("other.mtx", "%%MatrixMarket matrix coordinate pattern general\n3 3 1\n2 1\n",
               "not symmetric");
  expect_error("columns.txt", "a b\nb c\nc d\nd\n", "columns.txt:4: 1 column; every line needs 2");
  expect_error("quotes.csv", "a,b\nb,c\nc,\"d\n", "quotes.csv:3: the quote before ");
  expect_error("fractions.txt", "1.5 2\n2 3\n", "looks like points");
  expect_error("weight.txt", "a b 1\nb c -1\n", "weight.txt:2: ");
  expect_error("short.graph", "5 2\n2\n1 3\n2\n", "short.graph:1: 5 nodes stated, 3 lines of nodes found");
  expect_error("edges.graph", "3 5\n2\n1 3\n2\n", "edges.graph:1: 5 edges stated, 2 found");
  expect_error("far.graph", "3 2\n2\n1 4\n2\n", "far.graph:3: ");
  expect_error("more.graph", "2 1\n2\n1\n1\n", "more.graph:4: a line beyond those of the 2 nodes");
  expect_error("asymmetric.graph", "3 2\n2\n1 3\n\n", "not symmetric");
  expect_error("macintosh.txt", "1 2\r2 3\r", "ends its lines with");
  expect_error("named.graphml", "<graphml/>", "is graphml");
  expect_error("zipped.txt", "\x1f\x8b\x08zzz", "is compressed");
}

}  // namespace
}  // namespace parsimony::distributed::read_test
