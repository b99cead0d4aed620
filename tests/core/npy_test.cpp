#include "parsimony/core/npy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/files/npy_format.hpp"
#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::npy_test {
namespace {

std::string header(const std::string& dictionary, int version = 1) {
  std::string out = "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    out += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  return out + dictionary;
}

std::string describe_array(const std::string& descr, const std::string& shape,
                           const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string bytes_of(std::vector<T> values, bool big_endian = false) {
  std::string out;
  for (const T& value : values) {
    std::string bytes(reinterpret_cast<const char*>(&value), sizeof(T));
    if (big_endian) std::reverse(bytes.begin(), bytes.end());
    out += bytes;
  }
  return out;
}

template <class T>
void expect_integers(char kind, const std::vector<T>& values) {
  const TemporaryDirectory directory;
  for (const bool big : {false, true}) {
    for (const int version : {1, 2, 3}) {
      const std::string descr = (big ? ">" : "<") + std::string(1, kind) + std::to_string(sizeof(T));
      const std::string shape = "(" + std::to_string(values.size()) + ",)";
      const auto path =
          directory.file("a.npy", header(describe_array(descr, shape), version) + bytes_of(values, big));
      EXPECT_EQ(read_npy_int64(path), std::vector<std::int64_t>(values.begin(), values.end())) << descr;
    }
  }
}

TEST(Npy, EveryTypeByteOrderAndVersionIsRead) {
  expect_integers<std::int8_t>('i', {-128, 0, 127});
  expect_integers<std::int16_t>('i', {-32768, 5, 32767});
  expect_integers<std::int32_t>('i', {std::numeric_limits<std::int32_t>::min(), 1, 2147483647});
  expect_integers<std::int64_t>('i', {std::numeric_limits<std::int64_t>::min(), 1, 1});
  expect_integers<std::uint8_t>('u', {0, 255});
  expect_integers<std::uint16_t>('u', {0, 65535});
  expect_integers<std::uint32_t>('u', {0, 4294967295u});
  expect_integers<std::uint64_t>('u', {0, 1ull << 62});
  expect_integers<std::uint8_t>('b', {0, 1, 1});
  expect_integers<float>('f', {-3, 0, 16777216});
  expect_integers<double>('f', {-3, 0, 9007199254740992.0});
}

// The bits of halves are written out: signs, the least subnormal, the largest, infinity.
TEST(Npy, HalfPrecisionIsReadExactly) {
  const TemporaryDirectory directory;
  const std::vector<std::uint16_t> bits{0x3c00, 0xc100, 0x0001, 0x7bff, 0x8000, 0x7c00};
  const std::vector<float> values{1, -2.5f, 0x1p-24f, 65504, -0.0f, HUGE_VALF};
  for (const bool big : {false, true}) {
    const auto path =
        directory.file("h.npy", header(describe_array(big ? ">f2" : "<f2", "(3, 2)")) + bytes_of(bits, big));
    const Matrix<float> matrix = read_npy_matrix(path);
    EXPECT_EQ(std::vector<float>(matrix.values().begin(), matrix.values().end()), values);
    EXPECT_EQ(read_npy_matrix_double(path)(0, 1), -2.5);
  }
  expect_error(ErrorCode::unsupported, "float16", [&] {
    read_npy_matrix(directory.file("g.npy", header(describe_array("<f16", "(1, 1)")) + std::string(16, 'x')));
  });
}

TEST(Npy, RoundTrips) {
  const TemporaryDirectory directory;
  const std::vector<std::int32_t> labels{0, -1, 2147483647};
  for (const std::string name : {"l.npy", "l.npy.gz", "l.npy.zst"}) {
    write_npy(directory / name, labels);
    EXPECT_EQ(read_npy_int32(directory / name), labels) << name;
  }
  const std::vector<std::int64_t> wide{1, std::numeric_limits<std::int64_t>::min()};
  write_npy(directory / "w.npy", wide);
  EXPECT_EQ(read_npy_int64(directory / "w.npy"), wide);

  // A view with a stride leaves out what lies between its rows.
  std::vector<float> storage(12);
  for (int i = 0; i < 12; ++i) storage[i] = 0.5f * static_cast<float>(i);
  write_npy(directory / "m.npy", MatrixView<const float>(storage.data(), 3, 2, 4));
  const Matrix<float> matrix = read_npy_matrix(directory / "m.npy");
  ASSERT_EQ(matrix.rows(), 3);
  ASSERT_EQ(matrix.cols(), 2);
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 2; ++c) EXPECT_EQ(matrix(r, c), storage[4 * r + c]);
  }
  const std::vector<double> numbers{1.5, -2, 1e-3};
  write_npy(directory / "d.npy", std::span<const double>(numbers));
  // Values that float32 cannot hold come back exactly.
  const double precise[] = {1.0 / 3, 1e300, -0x1p-1000, 4, 5, 6};
  write_npy(directory / "f8.npy", MatrixView<const double>(precise, 2, 3));
  const Matrix<double> back = read_npy_matrix_double(directory / "f8.npy");
  EXPECT_EQ(back.rows(), 2);
  EXPECT_TRUE(std::equal(back.values().begin(), back.values().end(), precise));
  const Matrix<float> column = read_npy_matrix(directory / "d.npy");
  ASSERT_EQ(column.rows(), 3);
  ASSERT_EQ(column.cols(), 1);
  for (int r = 0; r < 3; ++r) EXPECT_EQ(column(r, 0), static_cast<float>(numbers[r]));
}

TEST(Npy, DataBeginsAtAMultipleOf64Bytes) {
  for (std::int64_t rows = 1; rows < std::int64_t{1} << 59; rows *= 10) {
    const std::int64_t shape[] = {rows, rows};
    EXPECT_EQ(npy_header("<f4", shape).size() % 64, 0u);
    EXPECT_EQ(npy_header("<f4", shape).back(), '\n');
  }
}

TEST(Npy, ColumnsFirstIsTheTranspose) {
  const TemporaryDirectory directory;
  const std::string data = bytes_of<double>({1, 2, 3, 4, 5, 6});
  const auto rows = read_npy_matrix(directory.file("r.npy", header(describe_array("<f8", "(3, 2)")) + data));
  const auto columns =
      read_npy_matrix(directory.file("c.npy", header(describe_array("<f8", "(2, 3)", "True")) + data));
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 2; ++c) EXPECT_EQ(rows(r, c), columns(c, r));
  }
  // Nothing to read, however many columns are stated.
  const std::string empty = header(describe_array("<f8", "(0, 4611686018427387904)", "True"));
  EXPECT_EQ(read_npy_matrix(directory.file("e.npy", empty)).size(), 0);
}

TEST(Npy, WhatDoesNotFitIsNamed) {
  const TemporaryDirectory directory;
  const auto file = [&](const std::string& descr, const std::string& data) {
    return directory.file("a.npy", header(describe_array(descr, "(2,)")) + data);
  };
  const auto int32 = [](const std::filesystem::path& path) { return [path] { read_npy_int32(path); }; };
  expect_error(ErrorCode::format, "item 1 is 2147483648",
               int32(file("<i8", bytes_of<std::int64_t>({0, 1ll << 31}))));
  expect_error(ErrorCode::format, "item 0 is 1.5", int32(file("<f8", bytes_of<double>({1.5, 0}))));
  expect_error(ErrorCode::format, "item 1", int32(file("<f4", bytes_of<float>({1, NAN}))));
  expect_error(ErrorCode::format, "item 1", int32(file("<f4", bytes_of<float>({1, 2147483648.0f}))));
  expect_error(ErrorCode::format, "float32", [&] {
    read_npy_matrix(file("<f8", bytes_of<double>({1, 1e39})));
  });
  EXPECT_TRUE(std::isinf(read_npy_matrix(file("<f8", bytes_of<double>({1, HUGE_VAL})))(1, 0)));
}

TEST(Npy, HostileHeadersAreErrors) {
  const auto parse = [](const std::string& bytes) { return [bytes] { parse_npy(bytes, "a.npy"); }; };
  const auto shaped = [&](const std::string& shape, const std::string& data = "12345678") {
    return parse(header(describe_array("<f8", shape)) + data);
  };
  expect_error(ErrorCode::format, "NUMPY", parse(""));
  expect_error(ErrorCode::format, "NUMPY", parse("PK\3\4"));
  expect_error(ErrorCode::unsupported, "version 4",
               parse(header(describe_array("<f8", "(1,)"), 4) + "12345678"));
  expect_error(ErrorCode::format, "more than", shaped("(4294967296, 4294967296)"));
  expect_error(ErrorCode::format, "more than", shaped("(9223372036854775807, 9223372036854775807, 9)"));
  expect_error(ErrorCode::format, "at least 0", shaped("(-1,)"));
  expect_error(ErrorCode::format, "at least 0", shaped("(99999999999999999999,)"));
  expect_error(ErrorCode::format, "needs 8 bytes, there are 9", shaped("(1,)", "123456789"));
  expect_error(ErrorCode::format, "more than", shaped("(2,)"));
  expect_error(ErrorCode::format, "needs 0 bytes", shaped("(0, 9223372036854775807)"));
  expect_error(ErrorCode::unsupported, "<c16", parse(header(describe_array("<c16", "(1,)"))));
  expect_error(ErrorCode::unsupported, "'O'", parse(header(describe_array("O", "(1,)"))));
  expect_error(ErrorCode::unsupported, "records", parse(header("{'descr': [('a', '<i4')], }")));
  expect_error(ErrorCode::format, "repeated key", parse(header("{'descr': '<f8', 'descr': '<f8'}")));
  expect_error(ErrorCode::format, "must all be given", parse(header("{'descr': '<f8'}")));
}

TEST(Npy, EveryTruncationIsAnError) {
  const std::int64_t shape[] = {3};
  const std::string whole = npy_header("<i4", shape) + bytes_of<std::int32_t>({1, 2, 3});
  EXPECT_EQ(npy_items<std::int32_t>(parse_npy(whole, "a.npy")), (std::vector<std::int32_t>{1, 2, 3}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "a.npy",
                 [&] { parse_npy(std::string_view(whole).substr(0, size), "a.npy"); });
  }
}

}  // namespace
}  // namespace parsimony::npy_test
