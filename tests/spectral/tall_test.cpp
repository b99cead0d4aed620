#include "spectral/tall.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "parsimony/core/random.hpp"
#include "spectral/rayleigh_ritz.hpp"

namespace parsimony::spectral::tall_test {
namespace {

Matrix<float> normals(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<float> out(rows, cols);
  RandomStream(seed, "test").fill_normal(out.values());
  return out;
}

// Every product in float64, so that the order of the sum is all that differs.
TEST(Gram, IsTheInnerProductsOfTheColumns) {
  for (const std::int64_t rows : {1, 127, 5000}) {
    for (const auto& [left, right] :
         {std::pair<std::int64_t, std::int64_t>{1, 1}, {7, 64}, {70, 17}, {130, 3}}) {
      const Matrix<float> a = normals(rows, left + 5, 1), b = normals(rows, right + 2, 2);
      const MatrixView<const float> x{a.data() + 3, rows, left, a.cols()},
          y{b.data() + 1, rows, right, b.cols()};
      const Matrix<double> found = gram(x, y, Context(2));
      for (std::int64_t i = 0; i < left; ++i) {
        for (std::int64_t j = 0; j < right; ++j) {
          double sum = 0;
          for (std::int64_t r = 0; r < rows; ++r) sum += static_cast<double>(x(r, i)) * y(r, j);
          ASSERT_NEAR(found(i, j), sum, 1e-11) << rows << ": " << i << ", " << j;
        }
      }
    }
  }
}

TEST(MultiplyInPlace, ReplacesTheLastColumnsAndNothingElse) {
  for (const auto& [rows, depth, width] : {std::tuple<std::int64_t, std::int64_t, std::int64_t>{1, 1, 1},
                                           {65, 20, 7},
                                           {300, 90, 90},
                                           {130, 40, 33}}) {
    const Matrix<float> before = normals(rows, depth + 6, 1);
    Matrix<float> after = before;
    Matrix<double> factors(depth, width);
    for (std::int64_t i = 0; i < factors.size(); ++i) factors.values()[i] = RandomStream(2, "test").normal(i);
    multiply_in_place({after.data() + 4, rows, depth, after.cols()}, factors, Context(2));
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < after.cols(); ++c) {
        const std::int64_t column = c - 4 - (depth - width);
        if (column < 0 || column >= width) {
          ASSERT_EQ(after(r, c), before(r, c)) << r << ", " << c;
          continue;
        }
        double sum = 0;
        for (std::int64_t t = 0; t < depth; ++t) sum += before(r, 4 + t) * factors(t, column);
        ASSERT_NEAR(after(r, c), sum, 1e-4) << r << ", " << c;
      }
    }
  }
}

TEST(TallProducts, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> a = normals(20000, 80, 1);
  const Matrix<double> one = gram(a, a, Context(1));
  Matrix<float> product = a;
  multiply_in_place(product, one, Context(1));
  for (const int threads : {2, 3}) {
    const Matrix<double> other = gram(a, a, Context(threads));
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
    Matrix<float> turned = a;
    multiply_in_place(turned, other, Context(threads));
    EXPECT_TRUE(std::equal(product.values().begin(), product.values().end(), turned.values().begin()));
  }
}

// A diagonal L with the entries 0, 1, …, 9; the locked column is the first unit vector.
class RayleighRitz : public ::testing::Test {
 protected:
  static constexpr std::int64_t kSize = 10;

  // Checks that the pairs of this basis (row-major, kSize × columns) are what they must be.
  static RitzPairs pairs_of(const Matrix<double>& basis, std::int64_t locked) {
    const std::int64_t columns = basis.cols(), active = columns - locked;
    Matrix<double> inner(columns, active), operated(columns, active);
    for (std::int64_t i = 0; i < columns; ++i) {
      for (std::int64_t j = 0; j < active; ++j) {
        for (std::int64_t r = 0; r < kSize; ++r) {
          inner(i, j) += basis(r, i) * basis(r, locked + j);
          operated(i, j) += static_cast<double>(r) * basis(r, i) * basis(r, locked + j);
        }
      }
    }
    RitzPairs out = rayleigh_ritz(inner, operated, std::vector<double>(locked, 0.0));
    const auto found = static_cast<std::int64_t>(out.values.size());
    Matrix<double> vectors(kSize, locked + found);
    for (std::int64_t r = 0; r < kSize; ++r) {
      for (std::int64_t j = 0; j < locked; ++j) vectors(r, j) = basis(r, j);
      for (std::int64_t j = 0; j < found; ++j) {
        for (std::int64_t t = 0; t < columns; ++t) vectors(r, locked + j) += basis(r, t) * out.factors(t, j);
      }
    }
    for (std::int64_t i = 0; i < vectors.cols(); ++i) {
      for (std::int64_t j = 0; j < vectors.cols(); ++j) {
        double inside = 0, between = 0;
        for (std::int64_t r = 0; r < kSize; ++r) {
          inside += vectors(r, i) * vectors(r, j);
          between += static_cast<double>(r) * vectors(r, i) * vectors(r, j);
        }
        EXPECT_NEAR(inside, i == j, 1e-6);
        if (j < locked) continue;
        EXPECT_NEAR(between, i == j ? out.values[j - locked] : 0, 1e-5);
      }
    }
    EXPECT_TRUE(std::is_sorted(out.values.begin(), out.values.end()));
    return out;
  }

  static Matrix<double> random_basis(std::int64_t columns) {
    Matrix<double> out(kSize, columns);
    for (std::int64_t i = 0; i < out.size(); ++i) out.values()[i] = RandomStream(3, "test").normal(i);
    return out;
  }
};

TEST_F(RayleighRitz, OfTheWholeSpaceIsTheSpectrum) {
  const RitzPairs pairs = pairs_of(random_basis(kSize), 0);
  ASSERT_EQ(pairs.values.size(), 10u);
  for (int j = 0; j < 10; ++j) EXPECT_NEAR(pairs.values[j], j, 1e-9);
}

TEST_F(RayleighRitz, LockedColumnsStay) {
  Matrix<double> basis = random_basis(6);
  for (std::int64_t r = 0; r < kSize; ++r) basis(r, 0) = r == 0;
  for (std::int64_t j = 1; j < 6; ++j) basis(0, j) = 1e3 * static_cast<double>(j);  // mostly the locked one
  const RitzPairs pairs = pairs_of(basis, 1);
  ASSERT_EQ(pairs.values.size(), 5u);
  EXPECT_GE(pairs.values[0], 1 - 1e-9);  // by Courant and Fischer
}

TEST_F(RayleighRitz, LeavesOutWhatIsThereTwice) {
  Matrix<double> basis = random_basis(6);
  for (std::int64_t r = 0; r < kSize; ++r) {
    basis(r, 3) = 100 * basis(r, 1) + 1e-9 * basis(r, 3);
    basis(r, 5) = 0;
  }
  EXPECT_EQ(pairs_of(basis, 0).values.size(), 4u);
}

}  // namespace
}  // namespace parsimony::spectral::tall_test
