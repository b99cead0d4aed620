#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/noise_level.hpp"
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
    const double found = estimate_sigma(with_noise(clean, sigma, 3));
    EXPECT_NEAR(found, sigma, 0.1 * sigma);
  }
  EXPECT_EQ(estimate_sigma(with_noise(clean, 9, 1), Context(1)),
            estimate_sigma(with_noise(clean, 9, 1), Context(3)));
  Matrix<float> constant(30, 40);
  for (float& value : constant.values()) value = 128;
  EXPECT_EQ(estimate_sigma(constant), 0);
}

// A change of scale changes the noise by as much.
TEST(NoiseLevel, FollowsTheScale) {
  const Matrix<float> noisy = with_noise(made_image(90, 80), 7, 5);
  Matrix<float> twice = noisy;
  for (float& value : twice.values()) value *= 2;
  EXPECT_NEAR(estimate_sigma(twice), 2 * estimate_sigma(noisy), 1e-4);
}

TEST(NoiseLevel, OfPhotographsIsKnownWithinTenPercent) {
  for (const char* name : {"barbara", "boat", "house", "cameraman", "peppers"}) {
    const auto path = photograph("test/" + std::string(name) + ".png");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
    const Matrix<float> clean = read_image(path).channels[0];
    for (const float sigma : {10.0f, 20.0f, 50.0f}) {
      EXPECT_NEAR(estimate_sigma(with_noise(clean, sigma, 1)), sigma, 0.1 * sigma) << name;
    }
  }
}

TEST(NoiseLevel, RefusesWhatHasNone) {
  expect_error(ErrorCode::invalid_argument, "16 × 16", [] { estimate_sigma(Matrix<float>(15, 100)); });
  Matrix<float> broken(20, 20);
  broken(3, 4) = std::numeric_limits<float>::infinity();
  expect_error(ErrorCode::invalid_argument, "must be finite", [&] { estimate_sigma(broken); });
}

}  // namespace
}  // namespace parsimony::images
