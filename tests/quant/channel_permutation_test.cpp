#include "parsimony/quant/channel_permutation.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "expect_error.hpp"
#include "gaussian_weight.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/product_quantizer.hpp"

namespace parsimony::quant {
namespace {

// log det of the covariance of the complete blocks, over d, by the blocks themselves.
double log_volume(const TestWeight& weight, std::span<const std::int32_t> permutation, std::int64_t d) {
  const BlockGrid grid = block_grid(weight.shape, d, BlockLayout::input_channels);
  const Matrix<float> blocks = to_blocks(weight.values, grid, permutation);
  const std::int64_t each = (grid.channels + d - 1) / d, complete = grid.channels / d;
  Matrix<double> covariance(d, d);
  std::vector<double> mean(d);
  double count = 0;
  for (std::int64_t b = 0; b < blocks.rows(); ++b) {
    if (b % each >= complete) continue;
    ++count;
    for (std::int64_t j = 0; j < d; ++j) {
      mean[j] += blocks(b, j);
      for (std::int64_t l = 0; l < d; ++l) covariance(j, l) += double(blocks(b, j)) * blocks(b, l);
    }
  }
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t l = 0; l < d; ++l) {
      covariance(j, l) = covariance(j, l) / count - mean[j] * mean[l] / (count * count);
    }
  }
  double sum = 0;  // by elimination
  for (std::int64_t j = 0; j < d; ++j) {
    sum += std::log(covariance(j, j));
    for (std::int64_t i = j + 1; i < d; ++i) {
      for (std::int64_t l = j + 1; l < d; ++l) {
        covariance(i, l) -= covariance(i, j) * covariance(j, l) / covariance(j, j);
      }
    }
  }
  return sum / static_cast<double>(d);
}

// Channels of four kinds that vary together, one of each kind to a block, then shuffled.
TestWeight shuffled_families(std::vector<std::int64_t> shape) {
  TestWeight weight(shape, 1, 1.0f);
  const std::int64_t channels = shape[1], positions = weight.per_output() / channels;
  std::vector<std::int64_t> order(channels);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  const RandomStream common(3, "test.common");
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t p = 0; p < positions; ++p) {
        const std::int64_t family = order[c] / 4;
        const double shared = common.normal((o * channels + family) * positions + p);
        float& w = weight.values[(o * channels + c) * positions + p];
        w = static_cast<float>(0.05 * (0.3 * w + shared)) * (order[c] % 2 == 0 ? 1.0f : 0.5f);
      }
    }
  }
  return weight;
}

TEST(ChannelPermutation, ObjectiveIsThatOfTheBlocks) {
  for (const auto& shape : {std::vector<std::int64_t>{60, 24}, {40, 13, 3}, {20, 40, 2, 2}}) {
    const TestWeight weight = shuffled_families(shape);
    const auto found = search_channel_permutation(weight.view(), {.block_size = 4, .swaps = 20});
    const auto& history = found.report.objective_history;
    ASSERT_EQ(history.size(), 3u);
    EXPECT_NEAR(history[0], log_volume(weight, {}, 4), 1e-4);
    EXPECT_NEAR(history[2], log_volume(weight, found.permutation, 4), 1e-4);
    EXPECT_LE(history[1], history[0]);
    EXPECT_LT(history[2], history[1]);
    std::vector<std::int32_t> sorted = found.permutation;
    std::sort(sorted.begin(), sorted.end());
    for (std::int32_t c = 0; c < std::ssize(sorted); ++c) EXPECT_EQ(sorted[c], c);
  }
}

TEST(ChannelPermutation, LowersTheErrorWhereChannelsVaryTogether) {
  TestWeight weight = shuffled_families({256, 32, 3});
  const ProductOptions options{.block_size = 4, .centroids = 64, .layout = BlockLayout::input_channels};
  const auto error = [&] {
    return relative_mse(weight.view(), decode(product_quantize(weight.view(), options)));
  };
  const double before = error();
  const auto found = search_channel_permutation(weight.view(), {.block_size = 4});
  weight.permutation = found.permutation;
  EXPECT_LT(error(), 0.6 * before);
}

TEST(ChannelPermutation, SameBytesForAnyNumberOfThreads) {
  const TestWeight weight = shuffled_families({30, 150});
  const auto one = search_channel_permutation(weight.view(), {.swaps = 10}, Context(1));
  for (const int threads : {2, 3}) {
    const auto many = search_channel_permutation(weight.view(), {.swaps = 10}, Context(threads));
    EXPECT_EQ(one.permutation, many.permutation);
    EXPECT_EQ(one.report.objective_history, many.report.objective_history);
  }
}

TEST(ChannelPermutation, SurvivesDeadAndRepeatedChannels) {
  TestWeight weight({10, 16});
  for (std::int64_t i = 0; i < 160; ++i) {
    if (i % 16 < 4) weight.values[i] = 0;
    if (i % 16 > 12) weight.values[i] = weight.values[i / 16 * 16 + 12];
  }
  const auto found = search_channel_permutation(weight.view(), {.block_size = 4});
  EXPECT_TRUE(std::isfinite(found.report.objective_history.back()));
  std::fill(weight.values.begin(), weight.values.end(), 0.0f);
  EXPECT_TRUE(std::isfinite(
      search_channel_permutation(weight.view(), {.block_size = 4}).report.objective_history.back()));
}

TEST(ChannelPermutation, IsTheIdentityOfOneBlock) {
  const TestWeight weight({10, 15});
  const auto found = search_channel_permutation(weight.view(), {.block_size = 8});
  for (std::int32_t c = 0; c < 15; ++c) EXPECT_EQ(found.permutation[c], c);
  expect_error(ErrorCode::invalid_argument, "block",
               [&] { search_channel_permutation(weight.view(), {.block_size = 1}); });
}

}  // namespace
}  // namespace parsimony::quant
