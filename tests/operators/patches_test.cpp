#include "parsimony/operators/patches.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "expect_error.hpp"
#include "images/pictures.hpp"
#include "operators/learning/find_patches.hpp"

namespace parsimony::operators {
namespace {

using parsimony::testing::made_image;

TEST(Patches, AreThoseOfTheImages) {
  // Every pixel says where it is.
  std::vector<Matrix<float>> images;
  images.emplace_back(20, 30);
  images.emplace_back(5, 50);  // too low for a patch
  images.emplace_back(9, 8);
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (std::int64_t k = 0; k < images[i].size(); ++k) {
      images[i].data()[k] = static_cast<float>(1000 * static_cast<std::int64_t>(i) + k);
    }
  }
  const PatchOptions options{.count = 5000, .side = 8, .zero_mean = false, .unit_norm = false};
  const Matrix<float> patches = random_patches(images, options);
  ASSERT_EQ(patches.rows(), 5000);
  ASSERT_EQ(patches.cols(), 64);
  std::vector<int> seen(3);
  std::set<float> places;
  for (std::int64_t i = 0; i < patches.rows(); ++i) {
    const auto first = patches(i, 0);
    const auto image = static_cast<std::size_t>(first / 1000);
    ++seen[image];
    places.insert(first);
    const auto width = static_cast<float>(images[image].cols());
    for (std::int64_t u = 0; u < 8; ++u) {
      for (std::int64_t v = 0; v < 8; ++v) {
        ASSERT_EQ(patches(i, 8 * u + v), first + static_cast<float>(u) * width + static_cast<float>(v));
      }
    }
  }
  EXPECT_EQ(seen[1], 0);
  EXPECT_EQ(places.size(), 13u * 23u + 2u) << "every position";
  EXPECT_NEAR(seen[2], 5000.0 * 2 / 301, 30);
}

TEST(Patches, AreCentredAndScaledAndNotFlat) {
  std::vector<Matrix<float>> images;
  images.push_back(made_image(80, 90));
  const Matrix<float> raw = random_patches(
      images, {.count = 300, .side = 6, .min_deviation = 12, .zero_mean = false, .unit_norm = false});
  const Matrix<float> done = random_patches(images, {.count = 300, .side = 6, .min_deviation = 12});
  for (std::int64_t i = 0; i < raw.rows(); ++i) {
    double sum = 0, squares = 0, mean = 0, spread = 0;
    for (const float value : done.row(i)) sum += value, squares += value * value;
    for (const float value : raw.row(i)) mean += value / 36;
    for (const float value : raw.row(i)) spread += (value - mean) * (value - mean);
    EXPECT_NEAR(sum, 0, 1e-5);
    EXPECT_NEAR(squares, 1, 1e-5);
    EXPECT_GE(std::sqrt(spread / 36), 12 - 1e-4);
    for (std::int64_t k = 0; k < 36; ++k) {
      EXPECT_NEAR(done(i, k), (raw(i, k) - mean) / std::sqrt(spread), 1e-5);
    }
  }
}

TEST(Patches, DependOnTheSeedAndOnNothingElse) {
  std::vector<Matrix<float>> images;
  images.push_back(made_image(100, 90));
  const PatchOptions options{.count = 7000, .side = 5, .min_deviation = 8, .seed = 4};
  const Matrix<float> one = random_patches(images, options, Context(1));
  for (const int threads : {2, 3}) {
    const Matrix<float> other = random_patches(images, options, Context(threads));
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
  }
  PatchOptions shorter = options;
  shorter.count = 50;
  const Matrix<float> few = random_patches(images, shorter);
  EXPECT_TRUE(std::equal(few.values().begin(), few.values().end(), one.values().begin()));
  shorter.seed = 5;
  const Matrix<float> others = random_patches(images, shorter);
  EXPECT_FALSE(std::equal(few.values().begin(), few.values().end(), others.values().begin()));
}

TEST(Patches, RefuseWhatCannotBe) {
  const auto refuse = [](const std::string& piece, Matrix<float> image, const PatchOptions& options) {
    std::vector<Matrix<float>> images;
    images.push_back(std::move(image));
    expect_error(ErrorCode::invalid_argument, piece, [&] { random_patches(images, options); });
  };
  refuse("count", made_image(20, 20), {.count = 0});
  refuse("side: none of 1 image", made_image(7, 20), {.count = 1});
  refuse("min_deviation: only 0 of", Matrix<float>(50, 50), {.count = 10});
  refuse("min_deviation: only 0 of", Matrix<float>(50, 50), {.count = 10, .min_deviation = 0});
  Matrix<float> broken = made_image(20, 20);
  broken(1, 1) = std::numeric_limits<float>::quiet_NaN();
  refuse("image 0: row 1 has a value that is not finite", std::move(broken), {.count = 10});
}

TEST(FindPatches, FindsTheSameOrNone) {
  const std::vector<Matrix<float>> held{made_image(30, 30), Matrix<float>(50, 50)};
  const std::vector<MatrixView<const float>> images(held.begin(), held.end());
  const PatchOptions options{.count = 40, .side = 5, .seed = 3};
  const auto found = find_patches(images, options, Context{});
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(std::ranges::equal(found->values(), random_patches(images, options).values()));
  EXPECT_FALSE(find_patches(std::span(images).subspan(1), options, Context{}).has_value()) << "flat";
  expect_error(ErrorCode::invalid_argument, "side: none of 1 image",
               [&] { find_patches(std::span(images).subspan(1), {.side = 51}, Context{}); });
}

TEST(Samples, AreRowsDrawnWithoutReplacement) {
  Matrix<float> signals(200, 3);
  for (std::int64_t i = 0; i < 200; ++i) {
    for (float& value : signals.row(i)) value = static_cast<float>(i);
  }
  const Matrix<float> some = draw_signals(signals, 120, 7);
  ASSERT_EQ(some.rows(), 120);
  for (std::int64_t i = 0; i < 120; ++i) {
    if (i > 0) {
      EXPECT_GT(some(i, 0), some(i - 1, 0)) << "each once, in their order";
    }
    EXPECT_EQ(some(i, 2), some(i, 0)) << "rows stay whole";
  }
  EXPECT_TRUE(std::ranges::equal(draw_signals(signals, 0).values(), signals.values()));
  EXPECT_FALSE(std::ranges::equal(draw_signals(signals, 120, 8).values(), some.values()));
  expect_error(ErrorCode::invalid_argument, "samples: 201 of the 200 signals",
               [&] { draw_signals(signals, 201); });
}

TEST(Samples, OfColoursAreThoseOfTheLuminance) {
  Image colors{{made_image(40, 50), made_image(40, 50), made_image(40, 50), Matrix<float>(40, 50)}, 8, true};
  for (float& value : colors.channels[1].values()) value = 255 - value;
  const Image grey = luminance(colors);
  ASSERT_EQ(grey.channels.size(), 1u);
  EXPECT_FALSE(grey.alpha);
  for (const std::int64_t i : {0, 333, 1999}) {
    EXPECT_NEAR(grey.channels[0].data()[i],
                0.299 * colors.channels[0].data()[i] + 0.587 * colors.channels[1].data()[i] +
                    0.114 * colors.channels[2].data()[i],
                1e-4);
  }
  const SampleOptions options{.samples = 50, .patch = 5};
  const Matrix<float> of_colors = draw_patches(std::vector{colors}, options, 3);
  const Matrix<float> expected = random_patches(grey.channels, {.count = 50, .side = 5, .seed = 3});
  EXPECT_TRUE(std::ranges::equal(of_colors.values(), expected.values()));
  colors.channels[2] = Matrix<float>(30, 40);
  expect_error(ErrorCode::invalid_argument, "image: the channels differ in shape: 50 × 40 and 40 × 30",
               [&] { luminance(colors); });
}

}  // namespace
}  // namespace parsimony::operators
