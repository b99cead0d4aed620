#include "parsimony/operators/atlas.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "expect_error.hpp"

namespace parsimony::operators {
namespace {

// Rows of 2 × 2: a chequerboard, a slope, a constant, zeros and a chequerboard of the other sign.
Matrix<double> filters() {
  Matrix<double> out(5, 4);
  const double values[5][4] = {{1, -1, -1, 1}, {-2, -2, 1, 1}, {3, 3, 3, 3}, {0, 0, 0, 0}, {-5, 5, 5, -5}};
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t t = 0; t < 4; ++t) out(i, t) = values[i][t];
  return out;
}

TEST(Atlas, OrdersFiltersFromSmoothToRough) {
  const Matrix<double> rows = filters();
  EXPECT_EQ(roughness({rows.row(2).data(), 2, 2}), 0);
  EXPECT_EQ(roughness({rows.row(3).data(), 2, 2}), 0);
  EXPECT_DOUBLE_EQ(roughness({rows.row(1).data(), 2, 2}), 18.0 / 10);
  EXPECT_DOUBLE_EQ(roughness({rows.row(0).data(), 2, 2}), 4);
  EXPECT_EQ(order_by_roughness(rows), (std::vector<std::int64_t>{2, 3, 1, 0, 4}));
}

TEST(Atlas, DrawsEachRowAsATile) {
  const Image image = atlas(filters(), {.columns = 2, .pixels = 3, .by_frequency = false, .background = 9});
  ASSERT_EQ(image.channels.size(), 1u);
  EXPECT_EQ(image.height(), 3 * 9 + 3);  // three lines of two
  EXPECT_EQ(image.width(), 2 * 9 + 3);
  const Matrix<float>& grey = image.channels[0];
  EXPECT_EQ(grey(0, 0), 9);
  EXPECT_EQ(grey(2, 5), 9);
  EXPECT_EQ(grey(3, 3), 255);  // 1 of the first chequerboard, a square of 3 × 3
  EXPECT_EQ(grey(5, 5), 255);
  EXPECT_EQ(grey(5, 6), 0);   // −1 beside it
  EXPECT_EQ(grey(3, 9), 9);   // between tiles
  EXPECT_EQ(grey(3, 12), 0);  // −2 of the slope
  EXPECT_FLOAT_EQ(grey(6, 12), 127.5f + 63.75f);
  EXPECT_EQ(grey(12, 12), 127.5f);  // zeros
  EXPECT_EQ(grey(21, 12), 9);       // no sixth row
  EXPECT_EQ(atlas(filters()).width(), 3 * 12 + 4);
}

TEST(Atlas, RefusesWhatIsNoPicture) {
  expect_error(ErrorCode::invalid_argument, "3 x 5", [] { atlas(Matrix<double>(3, 5)); });
  expect_error(ErrorCode::invalid_argument, "0 x 4", [] { atlas(Matrix<double>(0, 4)); });
  expect_error(ErrorCode::invalid_argument, "pixels", [] { atlas(filters(), {.pixels = 0}); });
  Matrix<double> bad = filters();
  bad(3, 1) = std::numeric_limits<double>::quiet_NaN();
  expect_error(ErrorCode::invalid_argument, "row 3", [&] { atlas(bad); });
  expect_error(ErrorCode::invalid_argument, "2^28", [] { atlas(Matrix<double>(20000, 64), {.pixels = 64}); });
}

}  // namespace
}  // namespace parsimony::operators
