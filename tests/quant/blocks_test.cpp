#include "parsimony/quant/blocks.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "expect_error.hpp"

namespace parsimony::quant {
namespace {

const std::vector<std::vector<std::int64_t>> kShapes{
    {3, 8}, {5, 13}, {1, 1}, {4, 6, 3}, {6, 1, 3, 3}, {8, 5, 3, 3}, {2, 16, 1, 1}, {3, 4, 2, 3, 2}};

std::vector<float> numbered(const BlockGrid& grid) {
  std::vector<float> values(grid.outputs * grid.values_per_output());
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

std::vector<std::int32_t> shuffled(std::int64_t count) {
  std::vector<std::int32_t> permutation(count);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::shuffle(permutation.begin(), permutation.end(), std::mt19937(7));
  return permutation;
}

TEST(Blocks, ComeBackInEveryLayoutAndShape) {
  for (const auto& shape : kShapes) {
    for (const auto layout : {BlockLayout::row, BlockLayout::input_channels}) {
      for (const std::int64_t d : {1, 2, 4, 7, 8, 9, 64}) {
        const BlockGrid grid = block_grid(shape, d, layout);
        const auto values = numbered(grid);
        for (const auto& permutation : {std::vector<std::int32_t>{}, shuffled(shape[1])}) {
          const Matrix<float> blocks = to_blocks(values, grid, permutation, -1);
          ASSERT_EQ(blocks.rows(), grid.count());
          ASSERT_EQ(blocks.cols(), d);
          ASSERT_EQ(from_blocks(blocks, grid, permutation), values);
          // Every weight once, and padding nowhere but where d does not divide.
          std::vector<float> seen(blocks.values().begin(), blocks.values().end());
          std::erase(seen, -1.0f);
          std::sort(seen.begin(), seen.end());
          ASSERT_EQ(seen, values);
          ASSERT_EQ(std::ssize(seen) < blocks.size(), grid.padded());
        }
      }
    }
  }
}

// As QuantizedTensor says it: ⌈n / d⌉ blocks per output along the row; ⌈C / d⌉ at each position, the position
// slower.
TEST(Blocks, LieWhereTheFormatSays) {
  for (const auto& shape : kShapes) {
    for (const std::int64_t d : {2, 3, 4}) {
      const BlockGrid rows = block_grid(shape, d, BlockLayout::row);
      const auto values = numbered(rows);
      const std::int64_t n = rows.values_per_output(), c = shape[1], positions = n / c;
      const Matrix<float> along = to_blocks(values, rows, {}, -1);
      const std::int64_t per_row = (n + d - 1) / d;
      ASSERT_EQ(along.rows(), shape[0] * per_row);
      for (std::int64_t o = 0; o < shape[0]; ++o) {
        for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(along(o * per_row + i / d, i % d), values[o * n + i]);
      }
      const auto permutation = shuffled(c);
      const Matrix<float> across =
          to_blocks(values, block_grid(shape, d, BlockLayout::input_channels), permutation, -1);
      const std::int64_t each = (c + d - 1) / d;
      ASSERT_EQ(across.rows(), shape[0] * positions * each);
      for (std::int64_t o = 0; o < shape[0]; ++o) {
        for (std::int64_t p = 0; p < positions; ++p) {
          for (std::int64_t i = 0; i < c; ++i) {
            ASSERT_EQ(across((o * positions + p) * each + i / d, i % d),
                      values[o * n + permutation[i] * positions + p]);
          }
        }
      }
    }
  }
}

TEST(Blocks, AreTheSameInBothLayoutsOfALinearLayer) {
  const std::vector<std::int64_t> shape{5, 13};
  const BlockGrid rows = block_grid(shape, 4, BlockLayout::row);
  const auto values = numbered(rows);
  const auto a = to_blocks(values, rows),
             b = to_blocks(values, block_grid(shape, 4, BlockLayout::input_channels));
  EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
}

TEST(Blocks, NameWhatIsWrong) {
  const auto grid_of = [](std::vector<std::int64_t> shape, std::int64_t d) {
    return block_grid(shape, d, BlockLayout::row);
  };
  expect_error(ErrorCode::invalid_argument, "6 dimensions", [&] { grid_of({1, 1, 1, 1, 1, 1}, 2); });
  expect_error(ErrorCode::invalid_argument, "3 x 0", [&] { grid_of({3, 0}, 2); });
  expect_error(ErrorCode::invalid_argument, "2^40", [&] { grid_of({std::int64_t{1} << 62, 1 << 20}, 2); });
  expect_error(ErrorCode::invalid_argument, "block_size: 0", [&] { grid_of({3, 3}, 0); });
  const BlockGrid grid = grid_of({2, 3}, 2);
  for (const auto& [bad, piece] : {std::pair{std::vector<std::int32_t>{0, 1}, "has 2 entries"},
                                   {std::vector<std::int32_t>{0, 1, 1}, "1 comes twice"},
                                   {std::vector<std::int32_t>{0, 1, 3}, "3 is not an input channel"}}) {
    expect_error(ErrorCode::invalid_argument, piece, [&, &order = bad] { block_offsets(grid, order); });
  }
  expect_error(ErrorCode::invalid_argument, "5 values", [&] { to_blocks(std::vector<float>(5), grid); });
}

}  // namespace
}  // namespace parsimony::quant
