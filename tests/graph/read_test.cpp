// Good and bad files as people have them, with the graph that each holds or the line that the message names.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "limited_memory.hpp"
#include "parsimony/graph/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::read_test {
namespace {

struct Good {
  const char* name;
  std::string content;
  std::vector<std::string> ids;
  EdgeMap edges;
  std::int64_t loops = 0, merged = 0, zeros = 0;
  bool symmetrize = false;
};

const std::string kPattern = "%%MatrixMarket matrix coordinate pattern symmetric\n";
const std::string kReal = "%%MatrixMarket matrix coordinate real general\n";

const std::string kZeros(400, '0');
const std::string kAccents = [] {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xc3\xa9";
  return text;
}();

const std::vector<Good> kGood{
    {"spaces.txt", "0 1\n1 2\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"tabs.tsv", "0\t1\n1\t2\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"commas.csv", "0,1\n1 , 2\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"windows.edges", "0 1\r\n1 2\r\n\r\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"no-last-newline.txt", "0 1\n1 2", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"unknown.ending", "0 1\n", {"0", "1"}, {{{0, 1}, 1}}},
    {"matrix-in-disguise.txt", kPattern + "3 3 1\n2 1\n", {"1", "2", "3"}, {{{0, 1}, 1}}},
    {"comments.txt", "# a\n% b\n// c\n  # d\n\n0 1\n# e", {"0", "1"}, {{{0, 1}, 1}}},
    {"blanks-around.txt", "  0   1  \n\t1\t 2\t\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"byte-order-mark.txt",
     "\xef\xbb\xbf"
     "0 1\n",
     {"0", "1"},
     {{{0, 1}, 1}}},
    {"negative-ids.txt", "-5 3\n3 -7\n", {"-7", "-5", "3"}, {{{0, 2}, 1}, {{1, 2}, 1}}},
    {"far-ids.txt",
     "9223372036854775807 -9223372036854775808\n0 12\n",
     {"-9223372036854775808", "0", "12", "9223372036854775807"},
     {{{0, 3}, 1}, {{1, 2}, 1}}},
    {"leading-zeros.txt", "007 7\n7 8\n", {"007", "7", "8"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"words.txt", "bob alice\ncarol bob\n", {"alice", "bob", "carol"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"one-word.txt", "1 2\n10 x\n", {"1", "10", "2", "x"}, {{{0, 2}, 1}, {{1, 3}, 1}}},
    {"exponents-are-words.txt", "1e+05 2\n", {"1e+05", "2"}, {{{0, 1}, 1}}},
    {"too-large-is-a-word.txt", "9223372036854775808 1\n", {"1", "9223372036854775808"}, {{{0, 1}, 1}}},
    {"both-directions.txt", "0 1\n1 0\n1 2\n0 1\n", {"0", "1", "2"}, {{{0, 1}, 1}, {{1, 2}, 1}}, 0, 2},
    {"loops.txt", "0 0\n0 1\n5 5\n", {"0", "1", "5"}, {{{0, 1}, 1}}, 2},
    {"only-a-loop.txt", "4 4\n", {"4"}, {}, 1},
    {"weights.txt", "0 1 0.5\n1 2 +2e1\n", {"0", "1", "2"}, {{{0, 1}, 0.5f}, {{1, 2}, 20}}},
    {"weights-add.txt", "0 1 0.5\n0 1 2\n", {"0", "1"}, {{{0, 1}, 2.5f}}, 0, 1},
    {"weights-both.txt", "0 1 0.5\n1 0 0.25\n1 0 0.25\n", {"0", "1"}, {{{0, 1}, 0.5f}}, 0, 2},
    {"weights-nearly-equal.txt", "0 1 1.5\n1 0 1.5000001\n", {"0", "1"}, {{{0, 1}, 1.5f}}, 0, 1},
    {"weights-mean.txt",
     "0 1 1\n1 0 2\n1 2 4\n",
     {"0", "1", "2"},
     {{{0, 1}, 1.5f}, {{1, 2}, 4}},
     0,
     1,
     0,
     true},
    {"zero.txt", "0 1 0\n1 2 3\n0 2 -0\n", {"0", "1", "2"}, {{{1, 2}, 3}}, 0, 0, 2},
    {"tiny.txt",
     "0 1 1e-60\n1 2 1e-400\n2 3 1e-44\n",
     {"0", "1", "2", "3"},
     {{{0, 1}, 1.17549435e-38f}, {{1, 2}, 1.17549435e-38f}, {{2, 3}, 1.17549435e-38f}}},

    {"long-tiny.txt",
     "0 1 0." + kZeros + "1\n1 2 1" + kZeros + "e-900\n",
     {"0", "1", "2"},
     {{{0, 1}, 1.17549435e-38f}, {{1, 2}, 1.17549435e-38f}}},

    {"pattern.mtx", kPattern + "% c\n\n3 3 2\n2 1\n3 2\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    // Edge lists of the Network Repository.
    {"sizes-in-a-comment.mtx", kPattern + "%3 3 2\n2 1\n3 2\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"sizes-below-a-comment.mtx", kPattern + "%9 9 9\n3 3 1\n2 1\n", {"1", "2", "3"}, {{{0, 1}, 1}}},
    {"old-macintosh.txt", "1 2\r2 3\r", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"old-macintosh-with-a-newline.txt", "1 2\r\r2 3\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"carriage-returns-doubled.txt", "1 2\r\r\n2 3\r\r\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"capitals.mtx",
     "%%MATRIXMARKET Matrix Coordinate INTEGER Symmetric\n2 2 1\n2 1 7\n",
     {"1", "2"},
     {{{0, 1}, 7}}},
    {"upper-triangle.mtx", kPattern + "3 3 2\n1 2\n3 2\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"isolated.mtx", kPattern + "4 4 1\n3 2\n", {"1", "2", "3", "4"}, {{{1, 2}, 1}}},
    {"no-entries.mtx", kPattern + "2 2 0\n", {"1", "2"}, {}},
    {"diagonal.mtx", kPattern + "2 2 2\n1 1\n2 1\n", {"1", "2"}, {{{0, 1}, 1}}, 1},
    {"general.mtx",
     kReal + "3 3 4\n1 2 .5\n2 1 .5\n2 3 2\n3 2 2\n",
     {"1", "2", "3"},
     {{{0, 1}, .5f}, {{1, 2}, 2}}},
    {"duplicates-add.mtx", kReal + "2 2 3\n1 2 1\n2 1 3\n1 2 2\n", {"1", "2"}, {{{0, 1}, 3}}, 0, 1},
    {"mean.mtx",
     kReal + "3 3 3\n1 2 1\n2 1 3\n2 3 5\n",
     {"1", "2", "3"},
     {{{0, 1}, 2}, {{1, 2}, 2.5f}},
     0,
     0,
     0,
     true},
    {"mean-pattern.mtx",
     "%%MatrixMarket matrix coordinate pattern general\n3 3 4\n1 2\n2 1\n2 3\n2 3\n",
     {"1", "2", "3"},
     {{{0, 1}, 1}, {{1, 2}, .5f}},
     0,
     1,
     0,
     true},

    {"plain.graph", "3 2\n2\n1 3\n2\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"comments.graph", "% c\n3 2 0\n2\n% d\n1 3\n2\n", {"1", "2", "3"}, {{{0, 1}, 1}, {{1, 2}, 1}}},
    {"isolated.graph", "3 1\n3\n\n1\n\n\n", {"1", "2", "3"}, {{{0, 2}, 1}}},
    {"edge-weights.graph", "3 2 1\n2 5\n1 5 3 7\n2 7\n", {"1", "2", "3"}, {{{0, 1}, 5}, {{1, 2}, 7}}},
    {"node-weights.graph", "2 1 10\n4 2\n4 1\n", {"1", "2"}, {{{0, 1}, 1}}},
    {"node-sizes.graph", "2 1 100\n4 2\n4 1\n", {"1", "2"}, {{{0, 1}, 1}}},
    {"all-weights.graph", "2 1 111 2\n9 8 8 2 6\n9 8 8 1 6\n", {"1", "2"}, {{{0, 1}, 6}}},
    {"loops-counted.graph", "2 2\n1 2\n1\n", {"1", "2"}, {{{0, 1}, 1}}, 1},
    {"loops-not-counted.graph", "2 1\n1 2\n1\n", {"1", "2"}, {{{0, 1}, 1}}, 1},
    {"repeated.graph", "2 2\n2 2\n1 1\n", {"1", "2"}, {{{0, 1}, 1}}, 0, 2},
};

TEST(ReadGraph, GoodFiles) {
  const TemporaryDirectory directory;
  for (const Good& good : kGood) {
    SCOPED_TRACE(good.name);
    const GraphFile file =
        read_graph(directory.file(good.name, good.content), {.symmetrize = good.symmetrize}, Context(1));
    ASSERT_EQ(file.graph.nodes(), static_cast<std::int64_t>(good.ids.size()));
    ASSERT_EQ(file.ids.size(), file.graph.nodes());
    for (std::int64_t i = 0; i < file.ids.size(); ++i) {
      EXPECT_EQ(file.ids.name(i), good.ids[i]);
      EXPECT_EQ(file.ids.find(good.ids[i]), i);
    }
    EXPECT_EQ(edges_of(file.graph), good.edges);
    EXPECT_EQ(file.self_loops_dropped, good.loops);
    EXPECT_EQ(file.duplicates_merged, good.merged);
    EXPECT_EQ(file.zeros_dropped, good.zeros);
  }
}

struct Bad {
  const char* name;
  std::string content;
  std::string message;
  ErrorCode code = ErrorCode::format;
};

const std::vector<Bad> kBad{
    {"empty.txt", "", "empty.txt: no edges"},
    {"comments-only.txt", "# a\n\n% b\n", "comments-only.txt: no edges"},
    {"empty.mtx", "", "empty.mtx:1: "},
    {"empty.graph", "", "empty.graph: no edges"},
    {"empty.npz", "", "empty.npz: "},
    {"one-column.txt", "# a\n1 2\n3\n", "one-column.txt:3: 1 column"},
    {"one-column-first.txt", "1\n1 2\n", "one-column-first.txt:1: 1 column"},
    {"four-columns.txt", "1 2 3 4\n", "four-columns.txt:1: 4 columns"},
    {"four-later.txt", "1 2\n\n1 2 3 4\n", "four-later.txt:3: 4 columns"},
    {"weight-missing.txt", "1 2 3\n1 3\n", "weight-missing.txt:2: 2 columns"},
    {"weight-extra.txt", "1 2\n1 3\n1 4 5\n", "weight-extra.txt:3: 3 columns"},
    {"text-weight.txt", "1 2 3\n1 3 x\n", "text-weight.txt:2: weight 'x' is not a number"},
    {"number-then-text.txt", "1 2 3\n1 3 4x\n", "number-then-text.txt:2: weight '4x'"},
    {"hexadecimal.txt", "1 2 0x10\n", "hexadecimal.txt:1: weight '0x10'"},
    {"plus-minus.txt", "1 2 +-1\n", "plus-minus.txt:1: weight '+-1'"},
    {"negative.txt", "1 2 3\r\n1 3 -0.5\r\n", "negative.txt:2: weight '-0.5' is not allowed"},
    {"nan.txt", "1 2 nan\n", "nan.txt:1: weight 'nan' is not allowed"},
    {"infinity.txt", "1 2 3\n1 2 inf\n", "infinity.txt:2: weight 'inf' is not allowed"},
    {"overflow.txt", "1 2 1e39\n", "overflow.txt:1: weight '1e39' is not allowed"},
    {"overflow-more.txt", "1 2 1e999\n", "overflow-more.txt:1: weight '1e999' is not allowed"},
    {"long-overflow.txt", "1 2 1" + kZeros + ".5\n", "long-overflow.txt:1: weight '1000"},
    {"exponent-overflow.txt", "1 2 0.1e99999999999999999999\n", "exponent-overflow.txt:1: weight '0.1e9"},
    {"sum-overflows.txt", "1 2 3e38\n1 2 3e38\n", "between 1 and 2 add up"},
    {"empty-column.csv", "1,2\n1,,2\n", "empty-column.csv:2: a column is empty"},
    {"empty-first.csv", "1,2\n,1\n", "empty-first.csv:2: a column is empty"},
    {"empty-last.csv", "1,2\n1,2,\n", "empty-last.csv:2: a column is empty"},
    {"asymmetric.txt", "7 9 1\n9 7 2\n",
     "not symmetric: the entry from 7 to 9 is 1, the one from 9 to 7 is 2"},
    {"words-and-fault.txt", "1 2\na b\n1\n1 2 3\n", "words-and-fault.txt:3: 1 column"},
    {"fault-and-words.txt", "1 2\n1\na b\n", "fault-and-words.txt:2: 1 column"},
    {"binary.txt",
     std::string("\x7f"
                 "ELF\x02\x01 \x00\x01\n",
                 10),
     "binary.txt:1: '\\x7fELF"},
    // Whole characters are shown, other bytes are escaped: a terminal obeys some of those.
    {"accents.txt", "1 2 \xc3\xa9\n", "weight '\xc3\xa9' is not a number"},
    {"half-a-character.txt", "1 2 a\xc3\n", "weight 'a\\xc3' is not a number"},
    {"terminal-control.txt", "1 2 \x9b\xc2\x9b\n", "weight '\\x9b\\xc2\\x9b' is not a number"},
    {"long-word.txt", "1 2 xx" + kAccents + "\n",
     "weight 'xx" + kAccents.substr(0, 38) + "…' is not a number"},

    {"no-banner.mtx", "3 3 1\n1 2\n", "no-banner.mtx:1: the first line must be"},
    {"array.mtx", "%%MatrixMarket matrix array real general\n", "array.mtx:1: 'array'",
     ErrorCode::unsupported},
    {"complex.mtx", "%%MatrixMarket matrix coordinate complex general\n", "complex.mtx:1: 'complex'",
     ErrorCode::unsupported},
    {"skew.mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n", "skew.mtx:1: 'skew",
     ErrorCode::unsupported},
    {"hermitian.mtx", "%%MatrixMarket matrix coordinate real hermitian\n",
     "hermitian.mtx:1: ", ErrorCode::unsupported},
    {"no-sizes.mtx", kPattern + "% c\n", "no-sizes.mtx:3: the line of sizes is missing"},
    {"not-square.mtx", kPattern + "3 4 0\n", "not-square.mtx:2: 3 rows and 4 columns"},
    {"negative-size.mtx", kPattern + "-3 -3 0\n", "negative-size.mtx:2: the number of rows -3"},
    {"overflowing-size.mtx", kPattern + "99999999999999999999 2 0\n",
     "overflowing-size.mtx:2: the number of rows"},
    {"negative-count.mtx", kPattern + "3 3 -1\n", "negative-count.mtx:2: the number of entries -1"},
    {"four-sizes.mtx", kPattern + "3 3 1 1\n2 1\n", "four-sizes.mtx:2: '1' is too much"},
    {"hostile-size.mtx", kPattern + "2147483647 2147483647 0\n", "hostile-size.mtx:2: 2147483647 nodes"},
    {"outside.mtx", kPattern + "3 3 2\n2 1\n4 1\n", "outside.mtx:4: row 4 is out of range; must be 1 to 3"},
    {"zero-based.mtx", kPattern + "3 3 1\n1 0\n", "zero-based.mtx:3: column 0 is out of range"},
    {"text-index.mtx", kPattern + "3 3 1\n1 x\n", "text-index.mtx:3: column 'x' is not an integer"},
    {"fewer.mtx", kPattern + "% c\n3 3 3\n2 1\n", "fewer.mtx:3: 3 entries stated, 1 found"},
    {"more.mtx", kPattern + "3 3 1\n2 1\n3 1\n", "more.mtx:2: 1 entry stated, 2 found"},
    {"no-value.mtx", kReal + "3 3 1\n2 1\n", "no-value.mtx:3: the value is missing"},
    {"value-extra.mtx", kPattern + "3 3 1\n2 1 5\n", "value-extra.mtx:3: '5' is too much"},
    {"asymmetric.mtx", kReal + "3 3 1\n3 1 2\n", "not symmetric: the entry from 1 to 3 is missing"},

    {"asymmetric.graph", "3 1\n2\n\n\n",
     "not symmetric: the entry from 1 to 2 is 1, the one from 2 to 1 is missing"},
    {"edge-count.graph", "3 3\n2\n1 3\n2\n", "edge-count.graph:1: 3 edges stated, 2 found"},
    {"fewer-edges.graph", "3 1\n2\n1 3\n2\n", "fewer-edges.graph:1: 1 edge stated, 2 found"},
    {"few-lines.graph", "% c\n4 2\n2\n1 3\n2\n", "few-lines.graph:2: 4 nodes stated, 3 lines"},
    {"many-lines.graph", "2 1\n2\n1\n\n1\n", "many-lines.graph:5: a line beyond"},
    {"outside.graph", "2 1\n2\n3\n", "outside.graph:3: neighbour 3 is out of range; must be 1 to 2"},
    {"format.graph", "2 1 12\n2\n1\n", "format.graph:1: format 12"},
    {"odd-weights.graph", "2 1 1\n2 5\n1\n", "odd-weights.graph:3: the last neighbour has no weight"},
    {"word.graph", "2 1\ntwo\n1\n", "word.graph:2: neighbour 'two' is not an integer"},
    {"header.graph", "2\n", "header.graph:1: the number of edges is missing"},
};

TEST(ReadGraph, BadFiles) {
  const TemporaryDirectory directory;
  for (const Bad& bad : kBad) {
    SCOPED_TRACE(bad.name);
    const auto path = directory.file(bad.name, bad.content);
    expect_error(bad.code, bad.message, [&] { read_graph(path, {}, Context(1)); });
  }
  expect_error(ErrorCode::io, "nothing.mtx", [&] { read_graph(directory / "nothing.mtx"); });
}

TEST(ReadGraph, TheFormatCanBeStated) {
  const TemporaryDirectory directory;
  const auto path = directory.file("graph.dat", "3 2\n2\n1 3\n2\n");
  EXPECT_EQ(read_graph(path, {.format = FileFormat::metis}).graph.edges(), 2);
  expect_error(ErrorCode::format, "graph.dat:2", [&] { read_graph(path); });
}

// Several pieces of text, so that lines run over their borders; faults far behind the first one must not win.
std::string long_list(std::int64_t lines) {
  std::string text;
  for (std::int64_t i = 0; i < lines; ++i)
    text += std::to_string(i * 7 % 5003) + " " + std::to_string(i % 4999) + "\n";
  return text;
}

TEST(ReadGraph, TheFirstBadLineIsNamedForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  const std::int64_t lines = 600000;
  const std::string good = long_list(lines);
  ASSERT_GT(good.size(), 5u << 20);
  const auto path = directory.file("a.txt", good + "bad\n" + good + "1\n");
  for (const int threads : {1, 2, 3}) {
    expect_error(ErrorCode::format, "a.txt:600001: ", [&] { read_graph(path, {}, Context(threads)); });
  }
}

TEST(ReadGraph, TheGraphIsTheSameForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  std::string weighted;
  const RandomStream stream(5, "edges"), values(5, "values");
  std::map<std::pair<std::int64_t, std::int64_t>, double> sums;
  for (std::int64_t i = 0; i < 200000; ++i) {
    const std::int64_t a = stream.below(300, 2 * i), b = 300 + stream.below(300, 2 * i + 1);
    const auto weight = static_cast<float>(values.uniform(i));
    char line[64];
    std::snprintf(line, sizeof line, "%d,%d,%.9g\n", static_cast<int>(a), static_cast<int>(b), weight);
    weighted += line;
    sums[{a, b}] += weight;
  }
  for (const auto& [name, content] :
       {std::pair{"plain.txt", long_list(500000)}, {"weighted.csv", weighted}}) {
    const auto path = directory.file(name, content);
    const GraphFile one = read_graph(path, {}, Context(1));
    for (const int threads : {2, 3}) {
      const GraphFile more = read_graph(path, {}, Context(threads));
      EXPECT_TRUE(same(one.graph, more.graph)) << name;
      EXPECT_EQ(one.duplicates_merged, more.duplicates_merged);
    }
    if (!one.graph.weighted()) continue;
    const EdgeMap edges = edges_of(one.graph);
    ASSERT_EQ(edges.size(), sums.size());
    for (const auto& [ends, sum] : sums) EXPECT_NEAR(edges.at(ends), sum, 1e-6 * sum);
  }
}

TEST(ReadGraph, WordsAreTheSameGraphAsTheirNumbers) {
  const TemporaryDirectory directory;
  const std::string numbers = long_list(200000);
  std::string words = "n";
  for (const char c : numbers)
    words += c == '\n' ? std::string("\nn") : c == ' ' ? std::string(" n") : std::string(1, c);
  words.pop_back();
  const GraphFile a = read_graph(directory.file("a.txt", numbers)),
                  b = read_graph(directory.file("b.txt", words));
  ASSERT_EQ(a.graph.nodes(), b.graph.nodes());
  // Words are sorted as text, so that the nodes have other numbers; renamed, every edge must be the same.
  std::vector<std::int64_t> word(a.graph.nodes());
  for (std::int64_t i = 0; i < a.graph.nodes(); ++i) {
    word[i] = b.ids.find("n" + a.ids.name(i));
    ASSERT_GE(word[i], 0);
  }
  EdgeMap renamed;
  for (const auto& [ends, weight] : edges_of(a.graph)) {
    renamed[std::minmax(word[ends.first], word[ends.second])] = weight;
  }
  EXPECT_EQ(edges_of(b.graph), renamed);
}

TEST(ReadGraph, MemoryLimitsAreHonoured) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a.txt", long_list(100000));
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const auto limited = [&](std::int64_t more) { return read_graph(path, {}, testing::limited_memory(more)); };
  expect_error(ErrorCode::memory_limit, "a.txt: larger than the limit", [&] { limited(size / 2); });
  expect_error(ErrorCode::memory_limit, "a.txt needs about", [&] { limited(2 * size); });
  EXPECT_GT(limited(20 * size).graph.edges(), 0);
  const auto nodes = directory.file("nodes.mtx", kPattern + "100000000 100000000 0\n");
  expect_error(ErrorCode::memory_limit, "nodes.mtx",
               [&] { read_graph(nodes, {}, testing::limited_memory(1 << 20)); });
}

TEST(ReadGraph, ACancelledReadThrows) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a.txt", long_list(1000));
  std::stop_source source;
  Context context(1);
  context.stop = source.get_token();
  source.request_stop();
  expect_error(ErrorCode::cancelled, "cancelled", [&] { read_graph(path, {}, context); });
}

}  // namespace
}  // namespace parsimony::graph::read_test
