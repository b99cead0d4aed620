// Points in text and in .npz, as people have them.
#include "parsimony/graph/point_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "core/files/npz.hpp"
#include "expect_error.hpp"
#include "graph/file/point_formats.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::point_file_test {
namespace {

struct ReadText {
  std::vector<std::vector<double>> rows;
  std::vector<std::string> messages;
  int warnings = 0;
};

ReadText read_text(const std::string& text) {
  ReadText out;
  Context context(1);
  context.on_log = [&](LogLevel level, std::string_view message) {
    out.messages.emplace_back(message);
    out.warnings += level == LogLevel::warning;
  };
  const PointArray array = parse_points(text, "p.csv", {}, context);
  const auto& matrix = std::get<Matrix<double>>(array);
  for (std::int64_t i = 0; i < matrix.rows(); ++i) {
    out.rows.emplace_back(matrix.row(i).begin(), matrix.row(i).end());
  }
  return out;
}

using Rows = std::vector<std::vector<double>>;

TEST(PointFile, TextIsReadWithAnySeparator) {
  const Rows expected{{1.5, -2}, {3e2, 4}};
  for (const char* text :
       {"1.5,-2\n3e2,4\n", "1.5\t-2\n300\t+4", "1.5,-2\r3e2,4\r", "1.5 -2\r\n 300   4 \r\n",
        "1,5;-2\n3e2;4\n", "# savetxt\n\n1.5, -2\n3e2 ,4\n", "\"1.5\",\"-2\"\n\"300\",4\n",
        "\xef\xbb\xbf"
        "1.5;-2\n300;4\n",
        "1,5\t-2\n300\t4\n"}) {
    const ReadText read = read_text(text);
    EXPECT_EQ(read.rows, expected) << text;
    EXPECT_TRUE(read.messages.empty()) << text;
  }
  EXPECT_EQ(read_text("7\n8\n").rows, (Rows{{7}, {8}}));
}

TEST(PointFile, HeadersAreFoundByTheirShape) {
  const ReadText named = read_text("\"x, in m\",y\n1,2\n");
  EXPECT_EQ(named.rows, (Rows{{1, 2}}));
  ASSERT_EQ(named.messages.size(), 1u);
  EXPECT_NE(named.messages[0].find("x, in m"), std::string::npos);
  for (const char* text :
       {",x,y\n0,5,6\n1,7,8\n", "\"\",\"x\",\"y\"\n\"a\",5,6\n\"b\",7,8\n", ",0,1\n0,5,6\n1,7,8\n"}) {
    const ReadText indexed = read_text(text);
    EXPECT_EQ(indexed.rows, (Rows{{5, 6}, {7, 8}})) << text;
    EXPECT_EQ(indexed.warnings, 1) << text;
  }
  EXPECT_EQ(read_text("0,1,2\n5,6,7\n").warnings, 1) << "it may number the columns";
}

TEST(PointFile, MistakesInTextNameLineAndColumn) {
  const auto refused = [](const std::string& text, const std::string& piece) {
    expect_error(ErrorCode::format, piece, [&] { read_text(text); });
  };
  refused("1,2\n3,x\n", "p.csv:2: column 2 is 'x'");
  refused("a,b\n1,\n", "p.csv:2: column 2 is empty");
  refused(",2\n3,4\n", "p.csv:1: column 1 is empty");
  refused("1,2\n\n3,4,5\n", "p.csv:3: 3 columns, but 2");
  refused("x,1\n2,3\n", "p.csv:1: names and numbers");
  refused("1,\"2\n", "p.csv:1: the quote before '2' is not closed");
  refused("1,\"2\"3\n", "p.csv:1: '3' follows a closing quote");
  refused("3,4\n1,1e999\n", "column 2 is '1e999'");
  refused("3,4\n1,nan\n", "column 2 is 'nan'");
  refused("x,y\n", "no line of numbers");
  refused("", "no line of numbers");
  refused("%%MatrixMarket matrix\n", "which is a graph");
  expect_error(ErrorCode::memory_limit, "p.csv",
               [] { parse_points("1,2\n3,4\n", "p.csv", {}, testing::limited_memory(1)); });
}

std::string archive(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& arrays) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [name, shape] : arrays) {
    const std::int64_t count = shape.size() == 2 ? shape[0] * shape[1] : shape[0];
    std::vector<double> values(count);
    for (std::int64_t i = 0; i < count; ++i) values[i] = 0.1 * static_cast<double>(i);
    members.push_back(shape.size() == 2
                          ? npz_member(name, "<f8", {shape[0], shape[1]}, values.data(), 8 * values.size())
                          : npz_member(name, "<f8", {shape[0]}, values.data(), 8 * values.size()));
  }
  return make_zip(members);
}

TEST(PointFile, TheArrayOfAnArchiveIsTheOnlyOneOrNamed) {
  const auto rows_of = [](const std::string& bytes, const std::string& name) {
    return std::get<Matrix<double>>(parse_points(bytes, "p.npz", {.array = name}, Context(1))).rows();
  };
  const std::string one = archive({{"X", {6, 2}}, {"y", {6}}}), two = archive({{"a", {6, 2}}, {"b", {4, 3}}});
  EXPECT_EQ(rows_of(one, ""), 6);
  EXPECT_EQ(rows_of(two, "b"), 4);
  EXPECT_EQ(rows_of(archive({{"only", {5}}}), ""), 5);
  expect_error(ErrorCode::format, "'a' (6 × 2), 'b' (4 × 3)", [&] { rows_of(two, ""); });
  expect_error(ErrorCode::format, "no array 'z'; there are 'X' (6 × 2), 'y' (6)", [&] { rows_of(one, "z"); });
  expect_error(ErrorCode::format, "which is a graph", [&] {
    rows_of(archive({{"format", {1}}, {"shape", {2}}, {"data", {3}}}), "");
  });
  expect_error(ErrorCode::invalid_argument, "no arrays to choose from", [&] { rows_of("1,2\n", "X"); });
  for (std::size_t size = 4; size < one.size(); ++size) {
    EXPECT_THROW(rows_of(one.substr(0, size), ""), Error);
  }
  const TemporaryDirectory directory;
  EXPECT_TRUE(holds_dense_arrays(directory.file("one.npz", one)));
  EXPECT_FALSE(holds_dense_arrays(directory.file("csr.npz", archive({{"data", {3}}, {"format", {1}}}))));
  EXPECT_FALSE(holds_dense_arrays(directory.file("cut.npz", one.substr(0, one.size() / 2))));
  EXPECT_FALSE(holds_dense_arrays(directory / "none.npz"));
}

}  // namespace
}  // namespace parsimony::graph::point_file_test
