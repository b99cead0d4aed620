// Files that no reader reads are named for what they are, with a way to convert them.
#include <gtest/gtest.h>

#include "core/files/npy_format.hpp"
#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "graph/graph_checks.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::recognise_test {
namespace {

GraphFile parse_as(const std::string& bytes, const std::string& name, const ReadOptions& options = {}) {
  return parse_graph(bytes, name, options, Context(1));
}

std::string utf16(const std::string& text, bool big_endian) {
  std::string out;
  for (const char c : text) out += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

TEST(Recognise, ForeignFormats) {
  const std::string hdf5("\x89HDF\r\n\x1a\n\0\0\0\0", 12);
  const struct {
    std::string bytes;
    const char* message;
  } kForeign[]{
      {"c comment\np edge 3 2\ne 1 2\ne 2 3\n", "awk '/^[ea] /{print $2, $3, $4}'"},
      {"e 1 2\ne 2 3\ne 3 4\n", "DIMACS"},
      {"p sp 2 1\r\na 1 2 7\r\n", "DIMACS"},
      {"<?xml version=\"1.0\"?>\n<gexf xmlns=\"http://gexf.net/1.2\"><graph/></gexf>", "GEXF"},
      {"<!DOCTYPE html>\n<html></html>", "HTML"},
      {"<?xml version=\"1.0\"?><svg/>", "XML"},
      {"graph {\n a -- b;\n}\n", "DOT"},
      {"/* made */\nstrict digraph G\n{ a -> b }", "DOT"},
      {"{\"nodes\": []}", "JSON"},
      {"DGS004\nnull 0 0\n", "GraphStream"},
      {">>graph6<<A_", "graph6"},
      {"PAR1....", "Parquet"},
      {hdf5, "HDF5"},
      {"\xff\xfe" + utf16("0 1\n", false), "UTF-16"},
      {"\xfe\xff" + utf16("0 1\n", true), "UTF-16"},
      {utf16("0,1\r\n1,2\r\n", false), "UTF-16LE"},
      {utf16("0,1\r\n1,2\r\n", true), "UTF-16BE"},
  };
  for (const auto& foreign : kForeign) {
    expect_error(ErrorCode::unsupported, foreign.message, [&] { parse_as(foreign.bytes, "x.txt"); });
    expect_error(ErrorCode::unsupported, foreign.message, [&] { parse_as(foreign.bytes, "/dev/stdin"); });
  }
}

TEST(Recognise, EdgeListsThatLookAlike) {
  EXPECT_EQ(parse_as("e f\nf g\n", "x.txt").graph.nodes(), 3);                   // e is a node
  EXPECT_EQ(parse_as("e 1 2\ne 2 3\nf 1 2\n", "x.txt").graph.nodes(), 4);        // weights
  EXPECT_EQ(parse_as("graph theory\ntheory book\n", "x.txt").graph.nodes(), 3);  // words
  EXPECT_EQ(parse_as("e 1 2\ne 2 3\n", "x.txt", {.format = FileFormat::edge_list}).graph.nodes(), 3);
}

TEST(Recognise, LineEndsOfOldMacs) {
  EXPECT_EQ(edges_of(parse_as("0 1\r1 2\r# end\r", "x.txt").graph), (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}}));
  EXPECT_EQ(
      parse_as("%%MatrixMarket matrix coordinate pattern symmetric\r3 3 1\r2 1\r", "x.mtx").graph.edges(), 1);
}

TEST(Recognise, OnePercentSignBeforeMatrixMarket) {
  const std::string text = "%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n";
  for (const char* name : {"nr.mtx", "nr.edges", "/dev/stdin"}) {
    EXPECT_EQ(edges_of(parse_as(text, name).graph), (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}}));
  }
}

TEST(MatrixMarket, ExponentsOfFortran) {
  const std::string banner = "%%MatrixMarket matrix coordinate real symmetric\n";
  EXPECT_EQ(edges_of(parse_as(banner + "3 3 2\n2 1 1.0D+00\n3 2 25.d-2\n", "f.mtx").graph),
            (EdgeMap{{{0, 1}, 1}, {{1, 2}, 0.25f}}));
  expect_error(ErrorCode::format, "f.mtx:3: weight 'D5'",
               [&] { parse_as(banner + "2 2 1\n2 1 D5\n", "f.mtx"); });
  expect_error(ErrorCode::format, "f.mtx:2: a comma", [&] { parse_as(banner + "2,2,1\n2,1,1\n", "f.mtx"); });
  expect_error(ErrorCode::format, "f.mtx:3: a comma", [&] { parse_as(banner + "2 2 1\n2,1,1\n", "f.mtx"); });
}

template <class T>
std::string matrix_of(const char* descr, std::int64_t rows, std::int64_t columns,
                      const std::vector<T>& values) {
  const std::int64_t shape[] = {rows, columns};
  return npy_header(descr, shape) +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

TEST(Affinity, ASquareMatrixIsAGraphByTheOption) {
  const std::string matrix = matrix_of<double>("<f8", 3, 3, {1, 0.5, 0, 0.5, 1, 2, 0, 2, 1});
  const GraphFile file = parse_as(matrix, "w.npy", {.affinity = true});
  EXPECT_EQ(edges_of(file.graph), (EdgeMap{{{0, 1}, 0.5f}, {{1, 2}, 2}}));
  EXPECT_EQ(file.self_loops_dropped, 0);
  EXPECT_EQ(edges_of(parse_as(matrix, "-", {.format = FileFormat::affinity}).graph).size(), 2u);
  expect_error(ErrorCode::format, "option affinity", [&] { parse_as(matrix, "w.npy"); });
  expect_error(ErrorCode::invalid_argument, "is not a .npy array",
               [&] { parse_as("0 1\n", "w.txt", {.affinity = true}); });
  expect_error(ErrorCode::format, "shape (2, 3)", [&] {
    parse_as(matrix_of<double>("<f8", 2, 3, {1, 2, 3, 4, 5, 6}), "w.npy", {.affinity = true});
  });
  expect_error(ErrorCode::format, "(0, 1) is -1", [&] {
    parse_as(matrix_of<float>("<f4", 2, 2, {0, -1, -1, 0}), "w.npy", {.affinity = true});
  });
  expect_error(ErrorCode::format, "not symmetric", [&] {
    parse_as(matrix_of<float>("<f4", 2, 2, {0, 1, 2, 0}), "w.npy", {.affinity = true});
  });
}

TEST(Endings, ForeignOnesAreRefusedWithTheKnownOnes) {
  const TemporaryDirectory directory;
  const GraphFile file{.graph = graph_of(2, {{{0, 1}, 1}}, false), .ids = NodeIds::consecutive(2, 1)};
  for (const char* name : {"z.npy", "z.bz2", "z.json", "z.h5", "z.unknown.gz"}) {
    expect_error(ErrorCode::invalid_argument, ".mtx", [&] { write_graph(directory / name, file); });
    EXPECT_FALSE(std::filesystem::exists(directory / name));
    write_graph(directory / name, file, {.output_format = FileFormat::edge_list});
    EXPECT_EQ(read_graph(directory / name, {.format = FileFormat::edge_list}).graph.edges(), 1);
  }
  write_graph(directory / "plain", file);
  EXPECT_EQ(TemporaryDirectory::content(directory / "plain"), "1\t2\n");
  write_graph(directory / "z.csv", file);
  EXPECT_EQ(TemporaryDirectory::content(directory / "z.csv"), "1,2\n");
  expect_error(ErrorCode::invalid_argument, "konect is read, but not written",
               [&] { write_graph(directory / "k.txt", file, {.output_format = FileFormat::konect}); });

  const std::vector<std::int32_t> clusters{0, 1};
  for (const char* name : {"z.npz", "z.json", "z.mtx"}) {
    expect_error(ErrorCode::invalid_argument, ".txt, .tsv, .csv, .npy",
                 [&] { write_labels(directory / name, file.ids, clusters); });
  }
  write_labels(directory / "l.csv", NodeIds::strings({"a, b", "c"}), clusters);
  EXPECT_EQ(TemporaryDirectory::content(directory / "l.csv"), "\"a, b\",0\nc,1\n");
  write_labels(directory / "l.out", file.ids, clusters, {.output_format = LabelFormat::tsv});
  EXPECT_EQ(TemporaryDirectory::content(directory / "l.out"), "1\t0\n2\t1\n");
}

}  // namespace
}  // namespace parsimony::graph::recognise_test
