// Two sets of nodes whose numbers overlap stay two sets, in every format that can hold them.
#include <gtest/gtest.h>

#include "core/files/npy_format.hpp"
#include "core/files/zip.hpp"
#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/graph/labels.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::bipartite_test {
namespace {

// The cycle left 1 - right 1 - left 3 - right 3 - left 2 - right 2 - left 1.
const std::string kKonectCycle = "% bip unweighted\n% 6 3 3\n1 1\n1 2\n2 2\n2 3\n3 3\n3 1\n";
const EdgeMap kCycle{{{0, 3}, 1}, {{0, 4}, 1}, {{1, 4}, 1}, {{1, 5}, 1}, {{2, 5}, 1}, {{2, 3}, 1}};

GraphFile parsed(const std::string& text, const ReadOptions& options = {},
                 const std::string& name = "g.txt") {
  return parse_graph(text, name, options, Context(1));
}

std::vector<std::string> names_of_nodes(const GraphFile& file) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < file.ids.size(); ++i) names.push_back(file.ids.name(i));
  return names;
}

const std::vector<std::string> kSixNames{"left:1", "left:2", "left:3", "right:1", "right:2", "right:3"};

TEST(Bipartite, KonectFilesSayIt) {
  const GraphFile file = parsed(kKonectCycle);
  EXPECT_EQ(edges_of(file.graph), kCycle);
  EXPECT_EQ(names_of_nodes(file), kSixNames);
  EXPECT_EQ(file.self_loops_dropped, 0);
}

TEST(Bipartite, EdgeListsByTheOption) {
  for (const std::string text :
       {"1 1\n1 2\n2 2\n2 3\n3 3\n3 1\n", "1,1\r\n1,2\r\n2,2\r\n2,3\r\n3,3\r\n3,1\r\n"}) {
    const GraphFile file = parsed(text, {.bipartite = true});
    EXPECT_EQ(edges_of(file.graph), kCycle);
    EXPECT_EQ(names_of_nodes(file), kSixNames);
  }
  const GraphFile words = parsed("ann jazz 2\nbob jazz 1\nann ann 3\n", {.bipartite = true});
  EXPECT_EQ(edges_of(words.graph), (EdgeMap{{{0, 2}, 3}, {{0, 3}, 2}, {{1, 3}, 1}}));
  EXPECT_EQ(names_of_nodes(words),
            (std::vector<std::string>{"left:ann", "left:bob", "right:ann", "right:jazz"}));
}

TEST(Bipartite, MatricesThatAreNotSquare) {
  const std::string body = "2 3 3\n1 1 0.5\n1 3 2\n2 2 1.0D+01\n";
  std::string note;
  Context context(1);
  context.on_log = [&](LogLevel, std::string_view line) { note += line; };
  const GraphFile file =
      parse_graph("%%MatrixMarket matrix coordinate real general\n" + body, "m.mtx", {}, context);
  EXPECT_EQ(edges_of(file.graph), (EdgeMap{{{0, 2}, 0.5f}, {{0, 4}, 2}, {{1, 3}, 10}}));
  EXPECT_EQ(file.ids.name(1), "left:2");
  EXPECT_EQ(file.ids.name(2), "right:1");
  EXPECT_NE(note.find("2 rows and 3 columns is read as a bipartite graph"), std::string::npos) << note;
}

TEST(Bipartite, SquareMatricesByTheOption) {
  const std::string text = "%%MatrixMarket matrix coordinate pattern general\n2 2 3\n1 1\n1 2\n2 2\n";
  const GraphFile file = parsed(text, {.bipartite = true}, "m.mtx");
  EXPECT_EQ(edges_of(file.graph), (EdgeMap{{{0, 2}, 1}, {{0, 3}, 1}, {{1, 3}, 1}}));
  expect_error(ErrorCode::format, "symmetric matrix are the same nodes", [] {
    parsed("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 1\n2 1\n", {.bipartite = true}, "m.mtx");
  });
  expect_error(ErrorCode::invalid_argument, "one set of nodes",
               [] { parsed("2 1\n2\n1\n", {.bipartite = true}, "m.graph"); });
}

TEST(Bipartite, LabelsAreMatchedByTheirSides) {
  const TemporaryDirectory directory;
  const GraphFile file = parsed(kKonectCycle);
  const std::vector<std::int32_t> clusters{0, 1, 2, 3, 4, 5};
  for (const std::string ending : {".txt", ".tsv"}) {
    write_labels(directory / ("labels" + ending), file.ids, clusters);
    const Labels back = read_labels(directory / ("labels" + ending));
    const AlignedLabels aligned = align_labels({file.ids, clusters}, back);
    EXPECT_EQ(aligned.first, clusters);
    EXPECT_EQ(aligned.second, clusters);
  }
  EXPECT_EQ(file.ids.find("left:1"), 0);
  EXPECT_EQ(file.ids.find("right:3"), 5);
  for (const char* absent : {"1", "left:4", "right:", "left:", "", "middle:1"})
    EXPECT_EQ(file.ids.find(absent), -1);
}

TEST(Bipartite, AWrittenEdgeListKeepsTheSides) {
  const TemporaryDirectory directory;
  write_graph(directory / "g.txt", parsed(kKonectCycle));
  const GraphFile back = read_graph(directory / "g.txt");
  EXPECT_EQ(edges_of(back.graph), kCycle);
  EXPECT_EQ(names_of_nodes(back), kSixNames);
}

TEST(Konect, WeightsAndTimes) {
  const EdgeMap path{{{0, 1}, 2}, {{1, 2}, 3}};
  EXPECT_EQ(edges_of(parsed("% sym positive\n1 2\n2 1\n2 3 3\n").graph), path);  // a missing weight is 1
  EXPECT_EQ(edges_of(parsed("% asym weighted\n1 2 2\n2 3 3\n").graph), path);
  EXPECT_EQ(edges_of(parsed("% asym posweighted\t\n1 2 2 1082040961\n2 3 3 1082040962\n").graph), path);
  EXPECT_EQ(edges_of(parsed("% sym unweighted\r\n1 2 1 99\r\n2 3 1 98\r\n").graph),
            (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}}));
  // A comment with other words is a comment.
  EXPECT_EQ(parsed("% bip is short for bipartite\n1 1\n1 2\n").graph.nodes(), 2);
  expect_error(ErrorCode::format, "g.txt:2: too many columns", [] { parsed("% sym weighted\n1 2 1 5 6\n"); });
  expect_error(ErrorCode::format, "g.txt:3: the second node is missing",
               [] { parsed("% bip unweighted\n1 2\n3\n"); });
  expect_error(ErrorCode::format, "g.txt:2: weight '-1'", [] { parsed("% bip signed\n1 2 -1\n"); });
  expect_error(ErrorCode::format, "no edges", [] { parsed("% bip signed\n% 0 0 0\n"); });
  expect_error(ErrorCode::format, "g.txt:1: the first line",
               [] { parsed("1 2\n", {.format = FileFormat::konect}); });
}

std::string npz_of(const std::string& format,
                   const std::vector<std::pair<std::string, std::string>>& arrays) {
  std::vector<std::pair<std::string, std::string>> members{
      {"format.npy", npy_header("|S" + std::to_string(format.size()), {}) + format}};
  for (const auto& [name, bytes] : arrays) members.emplace_back(name + ".npy", bytes);
  return make_zip(members);
}

template <class T>
std::string npy_of(const char* descr, const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
  return npy_header(descr, shape) +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

const auto ints = [](const std::vector<std::int32_t>& values) {
  return npy_of<std::int32_t>("<i4", {std::ssize(values)}, values);
};

TEST(ReadNpz, BlocksAndDiagonals) {
  // The path 0 - 1 - 2 - 3 with weights 1, 2, 3.
  const EdgeMap path{{{0, 1}, 1}, {{1, 2}, 2}, {{2, 3}, 3}};
  const std::string blocks = npz_of(
      "bsr", {{"shape", ints({4, 4})},
              {"indptr", ints({0, 2, 4})},
              {"indices", ints({0, 1, 0, 1})},
              {"data", npy_of<double>("<f8", {4, 2, 2}, {0, 1, 1, 0, 0, 0, 2, 0, 0, 2, 0, 0, 0, 3, 3, 0})}});
  EXPECT_EQ(edges_of(parsed(blocks, {}, "m.npz").graph), path);
  const std::string diagonals =
      npz_of("dia", {{"shape", ints({4, 4})},
                     {"offsets", ints({-1, 1})},
                     {"data", npy_of<double>("<f8", {2, 4}, {1, 2, 3, 77, 77, 1, 2, 3})}});
  const GraphFile file = parsed(diagonals, {}, "m.npz");
  EXPECT_EQ(edges_of(file.graph), path);
  EXPECT_EQ(file.zeros_dropped, 0);  // values outside of the matrix do not count
  expect_error(ErrorCode::format, "tile", [] {
    parsed(npz_of("bsr", {{"shape", ints({3, 3})}, {"data", npy_of<double>("<f8", {1, 2, 2}, {0, 1, 1, 0})}}),
           {}, "m.npz");
  });
  expect_error(ErrorCode::format, "block 0 is in column 2 of 2", [] {
    parsed(npz_of("bsr", {{"shape", ints({2, 4})},
                          {"indptr", ints({0, 1})},
                          {"indices", ints({2})},
                          {"data", npy_of<double>("<f8", {1, 2, 2}, {0, 1, 1, 0})}}),
           {}, "m.npz");
  });
}

TEST(ReadNpz, ArraysThatAreNotSquareAreBipartite) {
  // W = [[1, 0, 2], [0, 3, 0]], by rows and by columns.
  const EdgeMap edges{{{0, 2}, 1}, {{0, 4}, 2}, {{1, 3}, 3}};
  const auto doubles = [](const std::vector<double>& values) {
    return npy_of<double>("<f8", {std::ssize(values)}, values);
  };
  const std::string rows = npz_of("csr", {{"shape", ints({2, 3})},
                                          {"indptr", ints({0, 2, 3})},
                                          {"indices", ints({0, 2, 1})},
                                          {"data", doubles({1, 2, 3})}});
  const std::string columns = npz_of("csc", {{"shape", ints({2, 3})},
                                             {"indptr", ints({0, 1, 2, 3})},
                                             {"indices", ints({0, 1, 0})},
                                             {"data", doubles({1, 3, 2})}});
  for (const std::string& archive : {rows, columns}) {
    const GraphFile file = parsed(archive, {}, "m.npz");
    EXPECT_EQ(edges_of(file.graph), edges);
    EXPECT_EQ(file.ids.name(0), "left:0");
    EXPECT_EQ(file.ids.name(4), "right:2");
  }
}

}  // namespace
}  // namespace parsimony::graph::bipartite_test
