#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/noise_growth.hpp"
#include "parsimony/images/noise_level.hpp"
#include "pictures.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::made_image;
using parsimony::testing::photograph;
using parsimony::testing::with_noise;

// As a file of 8 bits holds it.
Matrix<float> in_bytes(Matrix<float> image) {
  for (float& value : image.values()) value = std::round(std::clamp(value, 0.0f, 255.0f));
  return image;
}

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
    EXPECT_NEAR(estimate_sigma(with_noise(clean, 10, 1)), 10, 1) << name;
    EXPECT_NEAR(estimate_sigma(in_bytes(with_noise(clean, 50, 1))), 50, 2.5) << name;
  }
}

// Dark and white areas, where half of the noise is cut off, take most of the picture.
TEST(NoiseLevel, IsThatBeforeClipping) {
  Matrix<float> clean = made_image(160, 200);
  for (std::int64_t i = 0; i < 60; ++i) std::fill_n(clean.row(i).data(), 200, 0.0f);
  for (std::int64_t i = 60; i < 160; ++i) std::fill_n(clean.row(i).data(), 60, 255.0f);
  for (const float sigma : {5.0f, 10.0f, 20.0f, 50.0f}) {
    EXPECT_NEAR(estimate_sigma(in_bytes(with_noise(clean, sigma, 3))), sigma, 0.06 * sigma);
  }
  // Other ends of the range, as of floats that were clipped elsewhere.
  Matrix<float> scaled = in_bytes(with_noise(clean, 20, 3));
  for (float& value : scaled.values()) value = value / 100 - 3;
  EXPECT_NEAR(estimate_sigma(scaled), 0.2, 0.012);
}

// A picture of whites that no block leaves: 3/8 of the pixels of a block are not clipped.
TEST(NoiseLevel, IsSeenOnWhitePaper) {
  Matrix<float> white(64, 64);
  std::ranges::fill(white.values(), 254.0f);
  EXPECT_NEAR(estimate_sigma(in_bytes(with_noise(white, 12, 1))), 12, 1.2);
}

TEST(NoiseLevel, LeavesBordersAndMasksOut) {
  for (const float border : {0.0f, 97.0f, 255.0f}) {
    Matrix<float> noisy = in_bytes(with_noise(made_image(120, 160), 20, 4));
    for (std::int64_t i = 0; i < 120; ++i) {
      for (std::int64_t j = 0; j < 160; ++j) {
        if (i < 12 || i >= 108 || std::hypot(i - 60.0, j - 80.0) > 70) noisy(i, j) = border;
      }
    }
    EXPECT_NEAR(estimate_sigma(noisy), 20, 1.5) << border;
  }
}

TEST(NoiseLevel, LeavesTransparentPixelsOut) {
  Image image{{}, 8, true};
  for (std::uint64_t c = 0; c < 3; ++c) {
    image.channels.push_back(in_bytes(with_noise(made_image(96, 96), 15, c + 1)));
  }
  image.channels.emplace_back(96, 96);
  for (std::int64_t i = 0; i < 96; ++i) {
    for (std::int64_t j = 0; j < 96; ++j) {
      image.channels[3](i, j) = j < 40 ? 0.0f : 255.0f;
      if (j < 40) image.channels[1](i, j) = static_cast<float>((i * 31 + j * 17) % 4 + 9);  // hidden colours
      if (j < 40) image.channels[0](i, j) = image.channels[2](i, j) = 9;
    }
  }
  const std::vector<double> sigmas = estimate_sigmas(image);
  ASSERT_EQ(sigmas.size(), 3u);
  for (const double sigma : sigmas) EXPECT_NEAR(sigma, 15, 1.2);
  image.channels.erase(image.channels.begin(), image.channels.begin() + 2);
  EXPECT_NEAR(estimate_sigmas(image).at(0), 15, 1.2) << "grey and alpha";
}

// Shapes of one colour have edges, which must not be taken for noise.
TEST(NoiseLevel, OfDrawingsIsZero) {
  Matrix<float> drawing(120, 120);
  for (std::int64_t i = 0; i < 120; ++i) {
    for (std::int64_t j = 0; j < 120; ++j) {
      drawing(i, j) = std::hypot(i - 50.0, j - 60.0) < 30 ? 180.0f : i + j < 100 ? 40.0f : 90.0f;
      if (j % 25 == 3 || i % 19 == 0) drawing(i, j) = 255;
    }
  }
  EXPECT_EQ(estimate_sigma(drawing), 0);
  EXPECT_NEAR(estimate_sigma(in_bytes(with_noise(drawing, 6, 1))), 6, 1);
}

// A mean over neighbours stands for what demosaicking and JPEG do: the noise keeps its coarse part alone.
TEST(NoiseLevel, OfCorrelatedNoiseIsThatOfItsCoarsePart) {
  const Matrix<float> clean = made_image(160, 200);
  const Matrix<float> white = with_noise(Matrix<float>(160, 200), 8, 3);
  Matrix<float> noisy = clean, fine = clean;
  const float weights[] = {0.25f, 0.5f, 0.25f};
  for (std::int64_t i = 0; i < 160; ++i) {
    for (std::int64_t j = 0; j < 200; ++j) {
      for (std::int64_t v = 0; v < 3; ++v) {
        for (std::int64_t u = 0; u < 3; ++u) {
          const std::int64_t y = std::clamp<std::int64_t>(i + v - 1, 0, 159),
                             x = std::clamp<std::int64_t>(j + u - 1, 0, 199);
          noisy(i, j) += weights[v] * weights[u] * white(y, x);
        }
      }
    }
  }
  // The spectrum of the mean falls from 8 at the constant; its finest quarter has less than 1.
  const double found = estimate_sigma(noisy);
  EXPECT_GT(found, 5);
  EXPECT_LT(found, 8);
  // In colours the differences, which files store coarsely, have at least as much.
  const Image image{{noisy, noisy, fine}, 8, false};
  const std::vector<double> sigmas = estimate_sigmas(image);
  ASSERT_EQ(sigmas.size(), 3u);
  for (std::size_t c = 1; c < 3; ++c) EXPECT_GE(sigmas[c], sigmas[0]);
}

TEST(NoiseLevel, RefusesWhatHasNone) {
  expect_error(ErrorCode::invalid_argument, "16 × 16", [] { estimate_sigma(Matrix<float>(15, 100)); });
  Matrix<float> broken(20, 20);
  broken(3, 4) = std::numeric_limits<float>::infinity();
  expect_error(ErrorCode::invalid_argument, "must be finite", [&] { estimate_sigma(broken); });
}

// Variance constant + slope x at brightness x.
Matrix<float> with_growing_noise(const Matrix<float>& clean, double constant, double slope) {
  Matrix<float> out = with_noise(Matrix<float>(clean.rows(), clean.cols()), 1, 5);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const double x = clean.data()[i];
    out.data()[i] = static_cast<float>(x + out.data()[i] * std::sqrt(constant + slope * x));
  }
  return out;
}

TEST(NoiseGrowth, IsTheLineOfTheVariance) {
  const Matrix<float> clean = made_image(200, 240);
  for (const auto& [constant, slope] : {std::pair{4.0, 0.5}, {9.0, 2.0}}) {
    const auto found =
        estimate_noise_growth({{in_bytes(with_growing_noise(clean, constant, slope))}, 8, false});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].grows);
    for (const double x : {60.0, 110.0, 180.0}) {
      EXPECT_NEAR(found[0].constant + found[0].slope * x, constant + slope * x,
                  0.15 * (constant + slope * x));
    }
  }
  for (const float sigma : {5.0f, 20.0f, 50.0f}) {
    EXPECT_FALSE(estimate_noise_growth({{in_bytes(with_noise(clean, sigma, 1))}, 8, false})[0].grows)
        << sigma;
  }
}

TEST(NoiseGrowth, IsStabilized) {
  const NoiseGrowth growth{.constant = 9, .slope = 2, .grows = true};
  for (const float brightness : {20.0f, 100.0f, 220.0f}) {
    Matrix<float> flat(100, 100);
    std::ranges::fill(flat.values(), brightness);
    const Matrix<float> even = stabilized(with_growing_noise(flat, 9, 2), growth, 15);
    double sum = 0, squares = 0;
    for (const float value : even.values()) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
    const double mean = sum / 1e4;
    EXPECT_NEAR(std::sqrt(squares / 1e4 - mean * mean), 15, 0.9) << brightness;
    // A denoiser finds the mean, which stands for the brightness.
    std::ranges::fill(flat.values(), static_cast<float>(mean));
    EXPECT_NEAR(unstabilized(flat, growth, 15)(0, 0), brightness, 0.6);
  }
  const NoiseGrowth even{.constant = 4};
  const Matrix<float> image = made_image(20, 20);
  const Matrix<float> back = unstabilized(stabilized(image, even, 3), even, 3);
  for (std::int64_t i = 0; i < image.size(); ++i) EXPECT_NEAR(back.data()[i], image.data()[i], 1e-3);
}

}  // namespace
}  // namespace parsimony::images
