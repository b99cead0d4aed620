#include "parsimony/graph/labels.hpp"

#include <gtest/gtest.h>

#include "core/files/npy_format.hpp"
#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/npy.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::labels_test {
namespace {

using Clusters = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

void expect_labels(const std::string& content, const Names& ids, const Clusters& clusters,
                   const Names& names) {
  SCOPED_TRACE(content);
  const TemporaryDirectory directory;
  const Labels labels = read_labels(directory.file("labels", content));
  ASSERT_EQ(labels.ids.size(), static_cast<std::int64_t>(ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(labels.ids.name(static_cast<std::int64_t>(i)), ids[i]);
  EXPECT_EQ(labels.clusters, clusters);
  EXPECT_EQ(labels.names, names);
  EXPECT_EQ(labels.by_position, content.find_first_of(" \t,") == content.npos);
}

TEST(Labels, AreReadAsPeopleWriteThem) {
  expect_labels("0 7\n1 7\n2 -3\n", {"0", "1", "2"}, {1, 1, 0}, {"-3", "7"});
  expect_labels("# c\n10\t2\r\n9\t10\r\n", {"9", "10"}, {1, 0}, {"2", "10"});  // numbers sort as numbers
  expect_labels("b,red\na,blue\nc , red\n", {"a", "b", "c"}, {0, 1, 1}, {"blue", "red"});
  expect_labels("1 2\n2 x\n", {"1", "2"}, {0, 1}, {"2", "x"});
  expect_labels("10 1\nx 1\n9 1\n", {"10", "9", "x"}, {0, 0, 0}, {"1"});
  expect_labels("5\n5\n4", {"0", "1", "2"}, {1, 1, 0}, {"4", "5"});
  expect_labels("5\r5\r4\r", {"0", "1", "2"}, {1, 1, 0}, {"4", "5"});  // lines of the Macintosh of old
  expect_labels("up\ndown\nup\n", {"0", "1", "2"}, {1, 0, 1}, {"down", "up"});
}

std::string warnings_of(const std::string& content, Labels& labels) {
  std::string out;
  Context context(1);
  context.on_log = [&](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) out += std::string(text) + "\n";
  };
  labels = parse_labels(content, "l.csv", context);
  return out;
}

TEST(Labels, AHeaderIsSkippedAndSaid) {
  for (const char* content :
       {"node,cluster\n0,7\n1,7\n2,9\n", "Id\tlabel\n0\tred\n1\tred\n2\tblue\n",
        "\"\",\"x\"\n\"0\",5\n\"1\",5\n\"2\",6\n", ",0\n0,1\n1,1\n2,0\n", "name;group\n0;1\n1;1\n2;2\n"}) {
    Labels labels;
    EXPECT_EQ(warnings_of(content, labels).rfind("l.csv:1: taken for a header and skipped: ", 0), 0u)
        << content;
    EXPECT_EQ(labels.ids.size(), 3) << content;
    EXPECT_EQ(labels.ids.name(0), "0");
    EXPECT_EQ(labels.clusters[0], labels.clusters[1]);
    EXPECT_NE(labels.clusters[0], labels.clusters[2]);
    EXPECT_EQ(labels.names.size(), 2u);
  }
  for (const char* content : {"cluster\n1\n2\n", "\"x\"\n1\n2\n", "label\nred\nblue\n"}) {
    Labels labels;
    EXPECT_NE(warnings_of(content, labels), "") << content;
    EXPECT_EQ(labels.clusters.size(), 2u) << content;
    EXPECT_TRUE(labels.by_position);
  }
  for (const char* content : {"up\ndown\n", "ann red\nbob blue\n", "1 a\nb 2\n", "cluster\ncluster\nup\n"}) {
    Labels labels;
    EXPECT_EQ(warnings_of(content, labels), "") << content;
  }
}

TEST(Labels, NamesKeepZerosBlanksAndQuotes) {
  expect_labels("007\t01\n7\t1\n", {"007", "7"}, {0, 1}, {"01", "1"});
  expect_labels("New York,\"a, b\"\n\"Los \"\"A\"\"\",c\n", {"Los \"A\"", "New York"}, {1, 0}, {"a, b", "c"});
  expect_labels("\"#5\" x\n", {"#5"}, {0}, {"x"});
  Labels labels;
  EXPECT_NE(warnings_of("a 1\n#b 2\nc 2\n", labels).find("l.csv:2: 1 line"), std::string::npos);
}

TEST(Labels, NpyArraysAreLabelsOfTheNodesInOrder) {
  const TemporaryDirectory directory;
  write_npy(directory / "l.npy", std::vector<std::int64_t>{1ll << 40, -1, 1ll << 40});
  const Labels labels = read_labels(directory / "l.npy");
  EXPECT_EQ(labels.clusters, (Clusters{1, 0, 1}));
  EXPECT_EQ(labels.names, (Names{"-1", "1099511627776"}));
  EXPECT_EQ(labels.ids.name(2), "2");
  write_npy(directory / "m.npy", MatrixView<const float>(std::vector<float>(4).data(), 2, 2));
  expect_error(ErrorCode::format, "1-D", [&] { read_labels(directory / "m.npy"); });
}

TEST(Labels, BadLinesAreNamed) {
  const TemporaryDirectory directory;
  const auto read = [&](const std::string& content) {
    const auto path = directory.file("l.txt", content);
    return [path] { read_labels(path); };
  };
  expect_error(ErrorCode::format, "l.txt: no labels", read(""));
  expect_error(ErrorCode::format, "l.txt: no labels", read("# c\n"));
  expect_error(ErrorCode::format, "l.txt:3: node '1' has a cluster already", read("1 2\n2 2\n1 3\n"));
  expect_error(ErrorCode::format, "l.txt:2: 1 column", read("1 2\n3\n"));
  expect_error(ErrorCode::format, "l.txt:3: 2 columns", read("1\n2\n3 4\n"));
  expect_error(ErrorCode::format, "l.txt:1: 3 columns", read("1 2 3\n"));
  expect_error(ErrorCode::format, "l.txt:2: 3 columns", read("1 2\n3 4 5\n"));
  expect_error(ErrorCode::format, "l.txt:2: a column is empty", read("1,2\n3,\n"));
  expect_error(ErrorCode::format,
               "l.txt:3: ", read("\"a\",\"say \"\"b\"\"\"\n\"c\",\"say \"\"d\"\"\"\n\"e\n"));
  expect_error(ErrorCode::format, "l.txt:2: '\\x01'", read("1 2\n2 \x01\n"));
}

TEST(Labels, RoundTrip) {
  const TemporaryDirectory directory;
  const NodeIds ids = NodeIds::numbers({-4, 7, 1000000000000});
  const Clusters clusters{2, 0, 1};
  for (const std::string name : {"l.txt", "l.txt.gz", "l.tsv.zst"}) {
    write_labels(directory / name, ids, clusters);
    const Labels back = read_labels(directory / name);
    EXPECT_EQ(back.clusters, clusters) << name;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(back.ids.name(i), ids.name(i));
  }
  EXPECT_EQ(directory.content(directory / "l.txt"), "-4\t2\n7\t0\n1000000000000\t1\n");
  for (const std::string name : {"l.npy", "l.npy.gz"}) {
    write_labels(directory / name, ids, clusters);
    EXPECT_EQ(read_npy_int32(directory / name), clusters) << name;
  }
  expect_error(ErrorCode::invalid_argument, "3 node ids for 2 labels", [&] {
    write_labels(directory / "x", ids, Clusters{1, 2});
  });
}

TEST(Labels, NamesComeBack) {
  const TemporaryDirectory directory;
  const NodeIds ids = NodeIds::strings({" a", "#5", "007", "New York", "\"q\", r", "x;y"});
  for (const std::string name : {"l.txt", "l.csv"}) {
    write_labels(directory / name, ids, Clusters{0, 1, 2, 3, 4, 5});
    const Labels back = read_labels(directory / name);
    ASSERT_EQ(back.ids.size(), 6) << name;
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(back.clusters[back.ids.find(ids.name(i))], i) << name << ids.name(i);
  }
  EXPECT_NE(directory.content(directory / "l.txt").find("New York\t3\n"), std::string::npos) << "for joins";
}

TEST(Labels, AlignById) {
  const Labels first{NodeIds::numbers({1, 5, 9}), {0, 1, 1}, {"a", "b"}};
  const Labels second{NodeIds::consecutive(3, 4), {2, 0, 1}, {"x", "y", "z"}};  // 4, 5, 6
  const AlignedLabels aligned = align_labels(first, second);
  EXPECT_EQ(aligned.first, (Clusters{1}));
  EXPECT_EQ(aligned.second, (Clusters{0}));
  EXPECT_EQ(aligned.only_in_first, 2);
  EXPECT_EQ(aligned.only_in_second, 2);
}

TEST(Labels, WithoutIdsMustBeAsManyAsTheOthers) {
  const Labels three{NodeIds::consecutive(3, 0), {0, 1, 1}, {"a", "b"}, true, "three.txt"};
  const Labels four{NodeIds::consecutive(4, 1), {0, 1, 1, 0}, {"x", "y"}, false, "four.txt"};
  expect_error(ErrorCode::format, "three.txt: 3 labels, but four.txt has 4",
               [&] { align_labels(four, three); });
  expect_error(ErrorCode::format, "four.txt: 4 labels, but three.txt has 3",
               [&] { align_labels(three, four); });
  const Labels far{NodeIds::consecutive(2, 9), {0, 1}, {"x", "y"}, false, "far.txt"};
  expect_error(ErrorCode::format, "far.txt: shares no node with four.txt", [&] { align_labels(four, far); });
}

TEST(Labels, AreTheSameForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  std::string content;
  for (std::int64_t i = 0; i < 300000; ++i) {
    content += std::to_string(i * 7919 % 300007) + "\tc" + std::to_string(i % 97) + "\n";
  }
  const auto path = directory.file("l.txt", content);
  const Labels one = read_labels(path, Context(1)), three = read_labels(path, Context(3));
  EXPECT_EQ(one.clusters, three.clusters);
  EXPECT_EQ(one.names, three.names);
  EXPECT_EQ(one.names.size(), 97u);
  expect_error(ErrorCode::memory_limit, "l.txt", [&] { read_labels(path, testing::limited_memory(1000)); });
  for (std::int64_t i = 0; i < 300000; i += 1009) {
    const std::int64_t node = one.ids.find(std::to_string(i * 7919 % 300007));
    EXPECT_EQ(one.names[one.clusters[node]], "c" + std::to_string(i % 97));
  }
}

}  // namespace
}  // namespace parsimony::graph::labels_test
