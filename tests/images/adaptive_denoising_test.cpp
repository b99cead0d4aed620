#include "parsimony/images/adaptive_denoising.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stop_token>

#include "expect_error.hpp"
#include "images/flow/unbiased_risk.hpp"
#include "parsimony/images/image_quality.hpp"
#include "pictures.hpp"
#include "thread_counts.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::made_image;
using parsimony::testing::with_noise;

constexpr double kSigma = 20;

Matrix<float> times(const Matrix<float>& image, double factor) {
  Matrix<float> out = image;
  for (float& value : out.values()) value = static_cast<float>(factor * value);
  return out;
}

double square_error(const Matrix<float>& a, const Matrix<float>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += std::pow(a.data()[i] - b.data()[i], 2);
  return sum / static_cast<double>(a.size());
}

// A pattern of stripes that no trained filter of 8 × 8 keeps whole, but that repeats.
Matrix<float> woven(std::int64_t side) {
  Matrix<float> out(side, side);
  for (std::int64_t i = 0; i < side; ++i) {
    for (std::int64_t j = 0; j < side; ++j) {
      const bool over = (i / 6 + j / 6) % 2 == 0;
      const double phase = over ? static_cast<double>(i) * 2.1 : static_cast<double>(j) * 1.7;
      out(i, j) = static_cast<float>(120 + 22 * std::sin(phase));
    }
  }
  return out;
}

// The method c · y has the divergence c and the risk (1 − c)² mean x² + c² σ².
TEST(UnbiasedRisk, IsThatOfAShrinkage) {
  Matrix<float> clean(96, 96);
  RandomStream(1, "test.clean").fill_normal(clean.values(), 0, 30);
  const Matrix<float> noisy = with_noise(clean, kSigma, 1);
  const auto half = [](MatrixView<const float> of) {
    Matrix<float> out(of.rows, of.cols);
    for (std::int64_t i = 0; i < out.size(); ++i) out.data()[i] = 0.5f * of.data[i];
    return out;
  };
  const Matrix<float> halved = half(noisy);
  EXPECT_NEAR(mean_divergence(noisy, halved, kSigma, 3, half), 0.5, 1e-4);

  const Matrix<float> most = times(noisy, 0.9);
  const Blend blend = best_blend(noisy, halved, 0.5, most, 0.9, kSigma);
  // The best factor is 900 / (900 + 400); 9216 pixels tell it to a hundredth or two.
  EXPECT_NEAR(0.5 + 0.4 * blend.share, 900.0 / 1300, 0.03);
  EXPECT_NEAR(blend.first_risk, square_error(halved, clean), 15);
  EXPECT_NEAR(blend.risk, square_error(times(noisy, 0.5 + 0.4 * blend.share), clean), 15);
  EXPECT_LT(blend.risk, blend.first_risk);
  // Never beyond either image.
  EXPECT_EQ(best_blend(noisy, times(noisy, 0.7), 0.7, most, 0.9, kSigma).share, 0);
  EXPECT_EQ(best_blend(noisy, times(noisy, 0.2), 0.2, halved, 0.5, kSigma).share, 1);
}

TEST(AdaptiveDenoising, KeepsATextureThatRepeats) {
  const Matrix<float> clean = woven(112), noisy = with_noise(clean, kSigma, 1);
  const UnrolledFlow flow = shipped_flow(kSigma);
  const double pilot = psnr(denoise_by_flow(noisy, flow, kSigma).image, clean);
  const AdaptedImage found = denoise_adaptively(noisy, flow, {.sigma = kSigma, .batches = 150});
  EXPECT_GT(psnr(found.image, clean), pilot + 0.3);
  EXPECT_GT(found.share, 0.3);
  EXPECT_EQ(found.analysis_operator.rows(), 64);
  for (std::int64_t i = 0; i < found.analysis_operator.rows(); ++i) {
    double sum = 0;
    for (const double value : found.analysis_operator.row(i)) sum += value;
    EXPECT_NEAR(sum, 0, 1e-9);
  }
}

TEST(AdaptiveDenoising, DoesNotHarmWhatHasNone) {
  const Matrix<float> clean = made_image(80, 96), noisy = with_noise(clean, kSigma, 2);
  const UnrolledFlow flow = shipped_flow(kSigma);
  const Matrix<float> pilot = denoise_by_flow(noisy, flow, kSigma).image;
  const AdaptedImage found = denoise_adaptively(noisy, flow, {.sigma = kSigma, .batches = 60});
  EXPECT_GT(psnr(found.image, clean), psnr(pilot, clean) - 0.1);

  Matrix<float> constant(40, 40);
  for (float& value : constant.values()) value = 77;
  const AdaptedImage flat = denoise_adaptively(constant, flow, {.sigma = 1});
  EXPECT_EQ(flat.share, 0);
  EXPECT_EQ(flat.analysis_operator.rows(), 0);
  const Matrix<float> plain = denoise_by_flow(constant, flow, 1).image;
  EXPECT_TRUE(std::equal(plain.values().begin(), plain.values().end(), flat.image.values().begin()));
  EXPECT_EQ(denoise_adaptively(Matrix<float>(1, 3), flow, {.sigma = 1}).image.cols(), 3);
}

TEST(AdaptiveDenoising, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> noisy = with_noise(made_image(50, 60), kSigma, 3);
  const UnrolledFlow flow = shipped_flow(kSigma);
  const AdaptiveDenoisingOptions options{.sigma = kSigma, .patches = 5000, .batches = 10};
  const Matrix<float> one = denoise_adaptively(noisy, flow, options, Context(1)).image;
  for (const int threads : parsimony::testing::kThreadCounts) {
    const Matrix<float> other = denoise_adaptively(noisy, flow, options, Context(threads)).image;
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
  }
}

TEST(AdaptiveDenoising, RefusesWhatCannotBe) {
  const UnrolledFlow flow = shipped_flow(kSigma);
  Matrix<float> image = made_image(20, 20);
  const auto refuse = [&](const char* piece, const AdaptiveDenoisingOptions& options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { denoise_adaptively(image, flow, options); });
  };
  refuse("sigma", {});
  refuse("rows", {.sigma = 1, .rows = 62});
  refuse("batches", {.sigma = 1, .batches = 0});
  image(3, 4) = NAN;
  refuse("row 3, column 4", {.sigma = 1});
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { denoise_adaptively(made_image(20, 20), flow, {.sigma = 1}, context); });
}

}  // namespace
}  // namespace parsimony::images
