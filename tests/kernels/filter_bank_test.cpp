#include "kernels/filter_bank.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::filter_bank_test {
namespace {

// From the second value on, so that nothing is aligned.
std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  std::vector<float> out(count + 1);
  RandomStream(seed, "test").fill_normal(out);
  return out;
}

// Sums of at most max(side², filters · side, columns) products of size ~1, of which only the order and the
// rounding of fused multiply-adds differ.
constexpr double kBudget = 2e-4;

void expect_equal(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], kBudget) << i;
}

void expect_twins(std::int64_t filters, std::int64_t side, std::int64_t columns) {
  SCOPED_TRACE(::testing::Message() << filters << " filters of side " << side << ", " << columns
                                    << " positions");
  const std::int64_t taps = side * side, stride = columns + side + 2, r_stride = columns + kFilterMargin;
  // Exactly what the patches cover, so that a sanitizer sees any other access.
  const std::int64_t pixels = (side - 1) * stride + columns + side - 1;
  const std::vector<float> rows = normals(filters * taps, 1), image = normals(pixels, 2);
  const FilterBank bank(rows.data() + 1, filters, side);

  std::vector<float> expected = normals(filters * r_stride, 3), found = expected;
  correlate_scalar(rows.data() + 1, filters, side, image.data() + 1, stride, columns, expected.data() + 1,
                   r_stride);
  bank.correlate(image.data() + 1, stride, columns, found.data() + 1, r_stride);
  expect_equal(found, expected);

  std::vector<float> s(kFilterMargin + filters * r_stride);
  const std::vector<float> values = normals(filters * columns, 4);
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t c = 0; c < columns; ++c)
      s[kFilterMargin + i * r_stride + c] = values[i * columns + c + 1];
  }
  std::vector<float> onto = image, by_bank = image;
  adjoint_scalar(rows.data() + 1, filters, side, s.data() + kFilterMargin, r_stride, columns, onto.data() + 1,
                 stride);
  bank.adjoint(s.data() + kFilterMargin, r_stride, columns, by_bank.data() + 1, stride);
  expect_equal(by_bank, onto);

  std::vector<float> gradient = normals(filters * taps, 5), by_kernel = gradient;
  filter_gradient_scalar(s.data() + kFilterMargin, r_stride, filters, image.data() + 1, stride, side, columns,
                         gradient.data() + 1);
  filter_gradient(s.data() + kFilterMargin, r_stride, filters, image.data() + 1, stride, side, columns,
                  by_kernel.data() + 1);
  expect_equal(by_kernel, gradient);
}

TEST(FilterBank, EqualsTheScalarTwinsOnEveryTarget) {
  for_targets([&] {
    for (std::int64_t columns = 0; columns <= 67; ++columns) expect_twins(columns % 11 + 1, 8, columns);
    for (std::int64_t side = 1; side <= kMaxFilterSide; ++side) {
      expect_twins(side % 3 + 7, side, 3 * side + 5);
    }
    expect_twins(63, 8, 131);
    expect_twins(128, 8, 33);
  });
}

// <W x, s> = <x, Wᵀ s>, and the gradient is the derivative of <W x, s> by W.
TEST(FilterBank, AdjointAndGradientBelongToTheCorrelation) {
  constexpr std::int64_t kFilters = 19, kSide = 7, kColumns = 83, kWidth = kColumns + kSide - 1;
  constexpr std::int64_t kStride = kColumns + kFilterMargin;
  const std::vector<float> rows = normals(kFilters * kSide * kSide, 1), image = normals(kSide * kWidth, 2);
  const std::vector<float> values = normals(kFilters * kColumns, 3);
  const FilterBank bank(rows.data(), kFilters, kSide);
  std::vector<float> r(kFilters * kColumns), s(kFilterMargin + kFilters * kStride);
  bank.correlate(image.data(), kWidth, kColumns, r.data(), kColumns);
  double direct = 0, by_adjoint = 0, by_gradient = 0;
  for (std::int64_t i = 0; i < kFilters; ++i) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      direct += static_cast<double>(r[i * kColumns + c]) * values[i * kColumns + c];
      s[kFilterMargin + i * kStride + c] = values[i * kColumns + c];
    }
  }
  std::vector<float> back(kSide * kWidth), gradient(kFilters * kSide * kSide);
  bank.adjoint(s.data() + kFilterMargin, kStride, kColumns, back.data(), kWidth);
  filter_gradient(s.data() + kFilterMargin, kStride, kFilters, image.data(), kWidth, kSide, kColumns,
                  gradient.data());
  for (std::size_t i = 0; i < back.size(); ++i) by_adjoint += static_cast<double>(back[i]) * image[i];
  for (std::size_t i = 0; i < gradient.size(); ++i) by_gradient += static_cast<double>(gradient[i]) * rows[i];
  EXPECT_NEAR(by_adjoint, direct, 1e-2);  // the sum has 77,000 products of size 1
  EXPECT_NEAR(by_gradient, direct, 1e-2);
}

// A strip over two image rows computes both, and the positions that wrap.
TEST(FilterBank, AStripMayRunOverSeveralRows) {
  constexpr std::int64_t kFilters = 5, kSide = 4, kWidth = 29, kPositions = kWidth - kSide + 1;
  const std::vector<float> rows = normals(kFilters * kSide * kSide, 1),
                           image = normals((kSide + 1) * kWidth, 2);
  const FilterBank bank(rows.data(), kFilters, kSide);
  constexpr std::int64_t kBoth = kWidth + kPositions;
  std::vector<float> both(kFilters * kBoth), second(kFilters * kPositions);
  bank.correlate(image.data(), kWidth, kBoth, both.data(), kBoth);
  bank.correlate(image.data() + kWidth, kWidth, kPositions, second.data(), kPositions);
  for (std::int64_t i = 0; i < kFilters; ++i) {
    for (std::int64_t c = 0; c < kPositions; ++c) {
      EXPECT_EQ(both[i * kBoth + kWidth + c], second[i * kPositions + c]);
    }
  }
}

}  // namespace
}  // namespace parsimony::kernels::filter_bank_test
