#include "parsimony/core/matrix.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <utility>

namespace parsimony::matrix_test {
namespace {

Matrix<double> counted(std::int64_t rows, std::int64_t cols) {
  Matrix<double> out(rows, cols);
  std::iota(out.values().begin(), out.values().end(), 1.0);
  return out;
}

void expect_empty(const Matrix<double>& matrix) {
  EXPECT_EQ(matrix.rows(), 0);
  EXPECT_EQ(matrix.cols(), 0);
  EXPECT_EQ(matrix.size(), 0);
  EXPECT_TRUE(matrix.values().empty());
  EXPECT_EQ(matrix.view().rows, 0);
}

TEST(Matrix, BeginsWithZerosOnACacheLine) {
  for (const std::int64_t rows : {1, 3, 700}) {
    const Matrix<float> matrix(rows, 5);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.data()) % 64, 0u);
    for (const float value : matrix.values()) EXPECT_EQ(value, 0);
  }
}

TEST(Matrix, AMovedFromMatrixIsEmptyAndCanBeCopiedAndAssigned) {
  Matrix<double> first = counted(3, 4);
  const double* data = first.data();
  Matrix<double> second = std::move(first);
  EXPECT_EQ(second.data(), data) << "moved, not copied";
  EXPECT_EQ(second(2, 3), 12);
  expect_empty(first);  // NOLINT(bugprone-use-after-move)
  const Matrix<double> copy = first;
  expect_empty(copy);

  Matrix<double> third = counted(2, 2);
  third = std::move(second);
  EXPECT_EQ(third(2, 3), 12);
  expect_empty(second);  // NOLINT(bugprone-use-after-move)
  second = third;
  EXPECT_EQ(second(1, 0), 5);
  EXPECT_NE(second.data(), third.data());
}

TEST(Matrix, AssignsToItself) {
  Matrix<double> matrix = counted(2, 3);
  const Matrix<double>& same = matrix;
  matrix = same;
  EXPECT_EQ(matrix.rows(), 2);
  EXPECT_EQ(matrix(1, 2), 6);
}

TEST(MatrixView, StrideSkipsColumns) {
  Matrix<double> matrix = counted(3, 4);
  const MatrixView<double> left(matrix.data(), 3, 2, 4);
  EXPECT_EQ(left(2, 1), matrix(2, 1));
  EXPECT_EQ(left.row(1).size(), 2u);
  left(1, 0) = -1;
  EXPECT_EQ(matrix(1, 0), -1);
}

TEST(CopyOf, IsContiguousAndApart) {
  Matrix<double> matrix = counted(3, 4);
  const Matrix<double> copied = copy_of(MatrixView<const double>(matrix.data() + 1, 3, 2, 4));
  matrix(0, 1) = -1;
  ASSERT_EQ(copied.rows(), 3);
  ASSERT_EQ(copied.cols(), 2);
  const Matrix<double> whole = counted(3, 4);
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t c = 0; c < 2; ++c) EXPECT_EQ(copied(r, c), whole(r, c + 1));
  }
  EXPECT_EQ(copy_of(MatrixView<const double>()).size(), 0);
}

#ifndef NDEBUG
TEST(MatrixDeathTest, IndicesOutOfRangeAreAsserted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Matrix<double> matrix = counted(3, 4);
  EXPECT_DEATH(matrix(3, 0), "Assertion");
  EXPECT_DEATH(matrix(0, 4), "Assertion");
  EXPECT_DEATH(matrix(-1, 0), "Assertion");
  EXPECT_DEATH(matrix.row(3), "Assertion");
  const MatrixView<const double> view = matrix;
  EXPECT_DEATH(view(2, 4), "Assertion");
  EXPECT_EQ(view.row_data(3), matrix.data() + 12) << "the end of the last row is allowed";
  EXPECT_DEATH(view.row_data(4), "Assertion");
}
#endif

}  // namespace
}  // namespace parsimony::matrix_test
