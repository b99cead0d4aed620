#include "parsimony/graph/labels.hpp"

#include <gtest/gtest.h>

#include "core/files/npy_format.hpp"
#include "expect_error.hpp"
#include "parsimony/core/npy.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph {
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
  expect_labels("up\ndown\nup\n", {"0", "1", "2"}, {1, 0, 1}, {"down", "up"});
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
  expect_error(ErrorCode::format, "l.txt:2: node '01' has a cluster already", read("1 2\n01 2\n"));
  expect_error(ErrorCode::format, "l.txt:2: 1 column", read("1 2\n3\n"));
  expect_error(ErrorCode::format, "l.txt:3: 2 columns", read("1\n2\n3 4\n"));
  expect_error(ErrorCode::format, "l.txt:1: 3 columns", read("1 2 3\n"));
  expect_error(ErrorCode::format, "l.txt:2: 3 columns", read("1 2\n3 4 5\n"));
  expect_error(ErrorCode::format, "l.txt:2: a column is empty", read("1,2\n3,\n"));
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

TEST(Labels, AlignById) {
  const Labels first{NodeIds::numbers({1, 5, 9}), {0, 1, 1}, {"a", "b"}};
  const Labels second{NodeIds::consecutive(3, 4), {2, 0, 1}, {"x", "y", "z"}};  // 4, 5, 6
  const AlignedLabels aligned = align_labels(first, second);
  EXPECT_EQ(aligned.first, (Clusters{1}));
  EXPECT_EQ(aligned.second, (Clusters{0}));
  EXPECT_EQ(aligned.only_in_first, 2);
  EXPECT_EQ(aligned.only_in_second, 2);
}

TEST(Labels, AreTheSameForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  std::string content;
  for (std::int64_t i = 0; i < 300000; ++i) {
    content += std::to_string(i * 7919 % 300007) + "\tc" + std::to_string(i % 97) + "\n";
  }
  const auto path = directory.file("l.txt", content);
  const Labels one = read_labels(path, 0, Context(1)), three = read_labels(path, 0, Context(3));
  EXPECT_EQ(one.clusters, three.clusters);
  EXPECT_EQ(one.names, three.names);
  EXPECT_EQ(one.names.size(), 97u);
  expect_error(ErrorCode::memory_limit, "1000", [&] { read_labels(path, 1000); });
  for (std::int64_t i = 0; i < 300000; i += 1009) {
    const std::int64_t node = one.ids.find(std::to_string(i * 7919 % 300007));
    EXPECT_EQ(one.names[one.clusters[node]], "c" + std::to_string(i % 97));
  }
}

}  // namespace
}  // namespace parsimony::graph
