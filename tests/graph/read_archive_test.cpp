// SciPy's sparse matrices in .npz archives, built here byte by byte.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/files/npy_format.hpp"
#include "core/files/zip.hpp"
#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "graph/graph_checks.hpp"
#include "limited_memory.hpp"

namespace parsimony::graph::read_archive_test {
namespace {

template <class T>
std::string array(const char* descr, const std::vector<T>& values) {
  const std::int64_t shape[] = {static_cast<std::int64_t>(values.size())};
  return npy_header(descr, shape) +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string text(const std::string& word) {
  return npy_header("|S" + std::to_string(word.size()), {}) + word;
}

using Members = std::map<std::string, std::string>;

// The path 0 - 1 - 2 with weights 0.5 and 2.
Members path_graph() {
  return {
      {"format", text("csr")},
      {"shape", array<std::int64_t>("<i8", {3, 3})},
      {"indptr", array<std::int32_t>("<i4", {0, 1, 3, 4})},
      {"indices", array<std::int32_t>("<i4", {1, 2, 0, 1})},  // columns of row 1 not sorted, as SciPy allows
      {"data", array<double>("<f8", {0.5, 2, 0.5, 2})}};
}

std::string zip(const Members& members) {
  std::vector<std::pair<std::string, std::string>> named;
  for (const auto& [name, bytes] : members) named.emplace_back(name + ".npy", bytes);
  return make_zip(named);
}

GraphFile read(const std::string& archive, const ReadOptions& options = {},
               const Context& context = Context(1)) {
  return parse_graph(archive, "a.npz", options, context);
}

const EdgeMap kPath{{{0, 1}, 0.5f}, {{1, 2}, 2}};

TEST(ReadNpz, RowsColumnsAndCoordinates) {
  Members members = path_graph();
  const GraphFile file = read(zip(members));
  EXPECT_EQ(edges_of(file.graph), kPath);
  EXPECT_EQ(file.ids.name(0), "0");
  EXPECT_EQ(edges_of(parse_graph(zip(members), "/dev/stdin", {}, Context(1)).graph), kPath);
  members["format"] = text("csc");
  EXPECT_EQ(edges_of(read(zip(members)).graph), kPath);
  members["format"] = text("coo");
  members["row"] = array<std::int64_t>("<i8", {1, 2, 0, 1});
  members["col"] = array<std::int64_t>("<i8", {0, 1, 1, 2});
  EXPECT_EQ(edges_of(read(zip(members)).graph), kPath);
}

TEST(ReadNpz, EveryTypeOfValue) {
  Members members = path_graph();
  const EdgeMap whole{{{0, 1}, 3}, {{1, 2}, 200}};
  const auto expect = [&](const std::string& data, const EdgeMap& edges, bool weighted) {
    members["data"] = data;
    const GraphFile file = read(zip(members));
    EXPECT_EQ(edges_of(file.graph), edges);
    EXPECT_EQ(file.graph.weighted(), weighted);
  };
  expect(array<std::uint8_t>("|u1", {3, 200, 3, 200}), whole, true);
  expect(array<std::int16_t>("<i2", {3, 200, 3, 200}), whole, true);
  expect(array<std::int64_t>("<i8", {3, 200, 3, 200}), whole, true);
  expect(array<float>("<f4", {3, 200, 3, 200}), whole, true);
  expect(array<float>("<f4", {1, 1, 1, 1}), {{{0, 1}, 1}, {{1, 2}, 1}}, false);
  expect(array<std::uint8_t>("|b1", {1, 1, 1, 1}), {{{0, 1}, 1}, {{1, 2}, 1}}, false);
  expect(array<std::uint8_t>("|b1", {1, 0, 1, 0}), {{{0, 1}, 1}}, false);
}

TEST(ReadNpz, DuplicatesAddAndLoopsAndZerosAreCounted) {
  Members members = path_graph();
  members["indptr"] = array<std::int64_t>("<i8", {0, 3, 5, 7});
  members["indices"] = array<std::int32_t>("<i4", {1, 1, 0, 0, 2, 1, 2});
  members["data"] = array<double>("<f8", {1, 2, 9, 3, 0, 0, 4});
  const GraphFile file = read(zip(members));
  EXPECT_EQ(edges_of(file.graph), (EdgeMap{{{0, 1}, 3}}));
  EXPECT_EQ(file.self_loops_dropped, 2);
  EXPECT_EQ(file.zeros_dropped, 2);
  EXPECT_EQ(file.duplicates_merged, 1);
  EXPECT_EQ(file.graph.nodes(), 3);
}

TEST(ReadNpz, WhatIsNotSymmetricIsRefusedUnlessTheMeanIsAskedFor) {
  Members members = path_graph();
  members["data"] = array<double>("<f8", {0.5, 2, 0.25, 2});
  expect_error(ErrorCode::format, "from 0 to 1 is 0.5, the one from 1 to 0 is 0.25",
               [&] { read(zip(members)); });
  EXPECT_EQ(edges_of(read(zip(members), {.symmetrize = true}).graph),
            (EdgeMap{{{0, 1}, 0.375f}, {{1, 2}, 2}}));
}

TEST(ReadNpz, BrokenArraysAreNamed) {
  const auto with = [&](const std::string& name, const std::string& bytes) {
    return [=] {
      Members members = path_graph();
      members[name] = bytes;
      read(zip(members));
    };
  };
  const auto i4 = [](std::vector<std::int32_t> values) { return array<std::int32_t>("<i4", values); };
  expect_error(ErrorCode::format, "'indptr' must go from 0 to 4", with("indptr", i4({0, 1, 3})));
  expect_error(ErrorCode::format, "'indptr' must go from 0 to 4", with("indptr", i4({1, 1, 3, 4})));
  expect_error(ErrorCode::format, "'indptr' must go from 0 to 4", with("indptr", i4({0, 1, 3, 5})));
  expect_error(ErrorCode::format, "'indptr': item 2 is -1", with("indptr", i4({0, 1, -1, 4})));
  expect_error(ErrorCode::format, "'indptr': item 1 is 2000", with("indptr", i4({0, 2000, 3, 4})));
  expect_error(ErrorCode::format, "entry 1 is at (1, 3)", with("indices", i4({1, 3, 0, 1})));
  expect_error(ErrorCode::format, "entry 0 is at (0, -1)", with("indices", i4({-1, 2, 0, 1})));
  expect_error(ErrorCode::format, "whole number", with("indices", array<float>("<f4", {1.5f, 2, 0, 1})));
  expect_error(ErrorCode::format, "values", with("data", array<double>("<f8", {1, 2})));
  expect_error(ErrorCode::format, "entry 2 at (1, 0) is -1",
               with("data", array<double>("<f8", {0.5, 2, -1, 2})));
  expect_error(ErrorCode::format, "entry 0 at (0, 1) is nan",
               with("data", array<double>("<f8", {std::numeric_limits<double>::quiet_NaN(), 2, 1, 2})));
  expect_error(ErrorCode::format, "entry 1 at (1, 2) is 1e+39",
               with("data", array<double>("<f8", {1, 1e39, 1, 2})));
  expect_error(ErrorCode::format, "two dimensions", with("shape", array<std::int64_t>("<i8", {3, 3, 3})));
  expect_error(ErrorCode::format, "nodes", with("shape", array<std::int64_t>("<i8", {-1, -1})));
  expect_error(ErrorCode::unsupported, "'lil'", with("format", text("lil")));
  expect_error(ErrorCode::format, "text where numbers",
               with("data", npy_header("|S1", std::vector<std::int64_t>{4}) + "abcd"));
  Members missing = path_graph();
  missing.erase("indices");
  expect_error(ErrorCode::format, "no array 'indices'", [&] { read(zip(missing)); });
}

TEST(ReadNpz, EveryTruncationAndEveryFlippedByteIsAnErrorOrTheGraph) {
  const std::string whole = zip(path_graph());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "a.npz", [&] { read(whole.substr(0, size)); });
  }
  std::string damaged = whole;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    damaged[at] ^= 0x41;
    try {
      EXPECT_EQ(edges_of(read(damaged, {}, testing::limited_memory(1 << 20)).graph), kPath) << "byte " << at;
    } catch (const Error& error) {
      EXPECT_NE(static_cast<int>(error.code()), static_cast<int>(ErrorCode::internal)) << error.what();
    }
    damaged[at] = whole[at];
  }
}

TEST(ReadNpz, MemoryLimitsAreHonoured) {
  Members members = path_graph();
  const std::int64_t nodes = 100000;
  members["shape"] = array<std::int64_t>("<i8", {nodes, nodes});
  members["indptr"] = array<std::int64_t>("<i8", std::vector<std::int64_t>(nodes + 1));
  members["indices"] = array<std::int32_t>("<i4", {});
  members["data"] = array<double>("<f8", {});
  const std::string archive = zip(members);
  EXPECT_LT(archive.size(), 20000u);
  EXPECT_EQ(read(archive, {}, testing::limited_memory(8 << 20)).graph.nodes(), nodes);
  expect_error(ErrorCode::memory_limit, "a.npz", [&] { read(archive, {}, testing::limited_memory(100000)); });
}

}  // namespace
}  // namespace parsimony::graph::read_archive_test
