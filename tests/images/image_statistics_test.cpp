#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/noise_level.hpp"
#include "parsimony/images/patches.hpp"
#include "pictures.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::made_image;
using parsimony::testing::photograph;
using parsimony::testing::with_noise;

// By skimage.metrics 0.26: gaussian_weights, sigma 1.5, use_sample_covariance False, data_range 255.
TEST(ImageQuality, IsThatOfScikitImage) {
  Matrix<float> a(40, 53), b(40, 53);
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t j = 0; j < 53; ++j) {
      const std::int64_t value = (i * 7 + j * 13) % 256;
      a(i, j) = static_cast<float>(value);
      b(i, j) = static_cast<float>(std::clamp<std::int64_t>(value + i * j % 31 - 15, 0, 255));
    }
  }
  EXPECT_NEAR(psnr(a, b), 28.86310936570026, 1e-12);
  EXPECT_NEAR(ssim(a, b), 0.9536864877270879, 1e-12);
  EXPECT_EQ(ssim(a, b), ssim(a, b, 255, Context(3)));
  EXPECT_NEAR(ssim(b, a), ssim(a, b), 1e-14);
  EXPECT_EQ(psnr(a, a), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(ssim(a, a), 1, 1e-14);
  expect_error(ErrorCode::invalid_argument, "53 × 40 and 40 × 53", [&] { psnr(a, Matrix<float>(53, 40)); });
  expect_error(ErrorCode::invalid_argument, "11 × 11",
               [&] { ssim(Matrix<float>(10, 40), Matrix<float>(10, 40)); });
}

TEST(NoiseLevel, IsThatOfTheNoise) {
  const Matrix<float> clean = made_image(160, 200);
  for (const float sigma : {2.0f, 5.0f, 10.0f, 20.0f, 50.0f}) {
    const double found = estimate_noise_level(operators::with_noise(clean, sigma, 3));
    EXPECT_NEAR(found, sigma, 0.1 * sigma);
  }
  EXPECT_EQ(estimate_noise_level(operators::with_noise(clean, 9, 1), Context(1)),
            estimate_noise_level(operators::with_noise(clean, 9, 1), Context(3)));
  Matrix<float> constant(30, 40);
  for (float& value : constant.values()) value = 128;
  EXPECT_EQ(estimate_noise_level(constant), 0);
}

// A change of scale changes the noise by as much.
TEST(NoiseLevel, FollowsTheScale) {
  const Matrix<float> noisy = operators::with_noise(made_image(90, 80), 7, 5);
  Matrix<float> twice = noisy;
  for (float& value : twice.values()) value *= 2;
  EXPECT_NEAR(estimate_noise_level(twice), 2 * estimate_noise_level(noisy), 1e-4);
}

TEST(NoiseLevel, OfPhotographsIsKnownWithinTenPercent) {
  for (const char* name : {"barbara", "boat", "house", "cameraman", "peppers"}) {
    const auto path = photograph("test/" + std::string(name) + ".png");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
    const Matrix<float> clean = read_image(path).channels[0];
    for (const float sigma : {10.0f, 20.0f, 50.0f}) {
      EXPECT_NEAR(estimate_noise_level(operators::with_noise(clean, sigma, 1)), sigma, 0.1 * sigma) << name;
    }
  }
}

TEST(NoiseLevel, RefusesWhatHasNone) {
  expect_error(ErrorCode::invalid_argument, "16 × 16", [] { estimate_noise_level(Matrix<float>(15, 100)); });
  Matrix<float> broken(20, 20);
  broken(3, 4) = std::numeric_limits<float>::infinity();
  expect_error(ErrorCode::invalid_argument, "not finite", [&] { estimate_noise_level(broken); });
}

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
  refuse("side: none of 1 images", made_image(7, 20), {.count = 1});
  refuse("min_deviation: only 0 of", Matrix<float>(50, 50), {.count = 10});
  refuse("min_deviation: only 0 of", Matrix<float>(50, 50), {.count = 10, .min_deviation = 0});
  Matrix<float> broken = made_image(20, 20);
  broken(1, 1) = std::numeric_limits<float>::quiet_NaN();
  refuse("image 0 has a value that is not finite", std::move(broken), {.count = 10});
}

}  // namespace
}  // namespace parsimony::images
