#include "parsimony/images/image_denoising.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <stop_token>

#include "expect_error.hpp"
#include "images/denoising/l1_denoising.hpp"
#include "images/energy/image_energy.hpp"
#include "images/energy/tiles.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/unrolled_flow.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "pictures.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::cosine_rows;
using parsimony::testing::made_image;
using parsimony::testing::with_noise;

// (Ω x)_{i, u} for all patches, straight from the definition; rows of omega of norm 1.
std::vector<double> coefficients(const Matrix<double>& omega, const Matrix<double>& x, Border border) {
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(omega.cols()))));
  const std::int64_t more = border == Border::none ? 1 - side : 0;
  std::vector<double> out;
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    for (std::int64_t y = 0; y < x.rows() + more; ++y) {
      for (std::int64_t c = 0; c < x.cols() + more; ++c) {
        double sum = 0;
        for (std::int64_t k = 0; k < omega.cols(); ++k) {
          sum += omega(i, k) * x((y + k / side) % x.rows(), (c + k % side) % x.cols());
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

Matrix<double> normalized(Matrix<double> omega) {
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double squares = 0;
    for (const double value : omega.row(i)) squares += value * value;
    for (double& value : omega.row(i)) value /= std::sqrt(squares);
  }
  return omega;
}

Matrix<double> random_rows(std::int64_t rows, std::int64_t side, std::uint64_t seed) {
  Matrix<double> omega(rows, side * side);
  const RandomStream random(seed, "test.rows");
  for (std::int64_t i = 0; i < omega.size(); ++i) omega.data()[i] = random.normal(i);
  return normalized(std::move(omega));
}

Matrix<double> as_double(const Matrix<float>& from) {
  Matrix<double> to(from.rows(), from.cols());
  std::copy(from.values().begin(), from.values().end(), to.data());
  return to;
}

double log_energy_of(const Matrix<double>& omega, const Matrix<double>& x, double nu, Border border) {
  double sum = 0;
  for (const double r : coefficients(omega, x, border)) sum += std::log1p(nu * r * r);
  return sum;
}

// Images smaller and larger than a patch, a band, a strip.
TEST(PatchAnalysis, EnergyAndGradientAreThoseOfTheDefinition) {
  struct Case {
    std::int64_t height, width, side, rows;
  };
  for (const Case& c : {Case{5, 4, 3, 5}, {2, 3, 4, 3}, {1, 9, 2, 2}, {37, 21, 3, 4}, {3, 800, 2, 3}}) {
    for (const Border border : {Border::periodic, Border::none}) {
      if (border == Border::none && (c.height < c.side || c.width < c.side)) continue;
      SCOPED_TRACE(::testing::Message() << c.height << " × " << c.width << ", side " << c.side << ", border "
                                        << static_cast<int>(border));
      const Context context(2);
      const Matrix<double> omega = random_rows(c.rows, c.side, 1);
      const kernels::FilterBank bank = patch_filters(omega);
      Matrix<float> image(c.height, c.width), gradient(c.height, c.width);
      RandomStream(2, "test").fill_normal(image.values());
      PatchAnalysis analysis(bank, c.height, c.width, border, context);
      const double found = log_energy(analysis, image, 3, gradient);
      Matrix<double> x = as_double(image);
      EXPECT_NEAR(found / log_energy_of(omega, x, 3, border), 1, 1e-6);
      for (std::int64_t i = 0; i < x.size(); i += std::max<std::int64_t>(1, x.size() / 25)) {
        constexpr double kStep = 1e-5;
        const double at = x.data()[i];
        x.data()[i] = at + kStep;
        const double above = log_energy_of(omega, x, 3, border);
        x.data()[i] = at - kStep;
        const double slope = (above - log_energy_of(omega, x, 3, border)) / (2 * kStep);
        x.data()[i] = at;
        EXPECT_NEAR(gradient.data()[i], slope, 2e-4 * (1 + std::abs(slope))) << "pixel " << i;
      }
    }
  }
}

TEST(Tiles, ShareEveryPixel) {
  for (const std::int64_t extent : {1, 100, 129, 513, 1300}) {
    std::vector<double> sum(static_cast<std::size_t>(extent));
    for (const Stretch& stretch : cut(extent, 128, 32)) {
      for (std::size_t i = 0; i < stretch.share.size(); ++i) sum.at(stretch.first + i) += stretch.share[i];
    }
    for (const double share : sum) EXPECT_NEAR(share, 1, 1e-6);
  }
}

// The dual problem, max over |u| ≤ tau of <Ωᵀu, y> − ‖Ωᵀu‖²/2, by accelerated gradient ascent.
double dual_bound(const Matrix<double>& omega, const Matrix<double>& y, double tau) {
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(omega.cols()))));
  const std::int64_t pixels = y.size();
  std::vector<double> u(static_cast<std::size_t>(omega.rows() * pixels)), v = u;
  const auto adjoint = [&](const std::vector<double>& dual) {
    Matrix<double> out(y.rows(), y.cols());
    for (std::int64_t i = 0; i < omega.rows(); ++i) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        for (std::int64_t k = 0; k < omega.cols(); ++k) {
          out((p / y.cols() + k / side) % y.rows(), (p % y.cols() + k % side) % y.cols()) +=
              dual[i * pixels + p] * omega(i, k);
        }
      }
    }
    return out;
  };
  // ‖Ω‖² by a few steps of the power method is at most side² · upper frame bound.
  const double step = 1 / (static_cast<double>(side * side) * operators::frame_bounds(omega).upper);
  double best = -1e300, t = 1;
  for (int k = 0; k < 600; ++k) {
    Matrix<double> x = adjoint(v);
    for (std::int64_t i = 0; i < pixels; ++i) x.data()[i] = y.data()[i] - x.data()[i];
    const std::vector<double> r = coefficients(omega, x, Border::periodic);
    const double next = (1 + std::sqrt(1 + 4 * t * t)) / 2;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double moved = std::clamp(v[i] + step * r[i], -tau, tau);
      v[i] = moved + (t - 1) / next * (moved - u[i]);
      u[i] = moved;
    }
    t = next;
  }
  const Matrix<double> a = adjoint(u);
  double value = 0;
  for (std::int64_t i = 0; i < pixels; ++i) {
    value += a.data()[i] * y.data()[i] - a.data()[i] * a.data()[i] / 2;
  }
  return std::max(best, value);
}

TEST(L1Denoising, ReachesTheBoundOfItsDual) {
  const Matrix<float> noisy = with_noise(made_image(14, 11), 20, 1);
  const Matrix<double> y = as_double(noisy);
  for (const bool tight : {true, false}) {
    const Matrix<double> omega = tight ? normalized(operators::random_untf(12, 9, 3)) : random_rows(7, 3, 4);
    std::vector<double> history;
    const double tau = 2;
    const Matrix<float> x = l1_denoise(noisy, omega, tau, 500, history, Context(2));
    double value = 0;
    for (const double r : coefficients(omega, as_double(x), Border::periodic)) value += tau * std::abs(r);
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double difference = x.data()[i] - y.data()[i];
      value += difference * difference / 2;
    }
    const double bound = dual_bound(omega, y, tau);
    EXPECT_GE(value, bound * (1 - 1e-6)) << "weak duality";
    EXPECT_LE(value, bound * (1 + 1e-5)) << (tight ? "tight" : "not tight");
    EXPECT_LT(history.size(), 500u);
  }
}

TEST(ImageDenoising, TakesNoiseOff) {
  const Matrix<float> clean = made_image(72, 90), noisy = with_noise(clean, 20, 1);
  const Matrix<double> omega = cosine_rows(6);
  const double before = psnr(noisy, clean);
  for (const ImagePenalty penalty : {ImagePenalty::log, ImagePenalty::l1}) {
    const DenoisedImage found = denoise_by_operator(noisy, omega, {.sigma = 20, .penalty = penalty});
    EXPECT_GT(psnr(found.image, clean), before + (penalty == ImagePenalty::log ? 8 : 5));
    EXPECT_EQ(found.sigma, 20);
    EXPECT_LT(found.report.objective_history.back(), found.report.objective_history.front());
    const DenoisedImage guessed = denoise_by_operator(noisy, omega, {.penalty = penalty});
    EXPECT_NEAR(guessed.sigma, 20, 2);
    EXPECT_GT(psnr(guessed.image, clean), before + 4);
  }
}

// The header states them: 0.32 / a and 1.2 / a for an operator of a rows.
TEST(ImageDenoising, AutoWeightsAreThoseOfTheHeader) {
  const Matrix<float> noisy = with_noise(made_image(24, 30), 20, 1);
  for (const std::int64_t side : {3, 4}) {
    const Matrix<double> omega = cosine_rows(side);
    const auto rows = static_cast<double>(omega.rows());
    for (const auto& [penalty, weight] : {std::pair{ImagePenalty::log, 0.32}, {ImagePenalty::l1, 1.2}}) {
      const ImageDenoisingOptions automatic{.sigma = 20, .penalty = penalty, .max_iterations = 5};
      ImageDenoisingOptions given = automatic;
      given.weight = weight / rows;
      EXPECT_TRUE(std::ranges::equal(denoise_by_operator(noisy, omega, automatic).image.values(),
                                     denoise_by_operator(noisy, omega, given).image.values()));
    }
  }
}

TEST(ImageDenoising, OfAPhotographByTheShippedOperator) {
  const auto path = parsimony::testing::photograph("test/house.png");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const Matrix<float> clean = read_image(path).channels[0];
  const Matrix<float> noisy = with_noise(clean, 20, 1);
  const auto found = denoise_by_operator(noisy, operators::shipped_operator(), {.sigma = 20});
  const auto by_cosines = denoise_by_operator(noisy, zero_mean_dct(8), {.sigma = 20});
  EXPECT_GT(psnr(found.image, clean), 32.8);
  EXPECT_GT(psnr(found.image, clean), psnr(by_cosines.image, clean) + 0.2) << "it is trained";
  EXPECT_GT(ssim(found.image, clean), 0.84);
}

TEST(ImageDenoising, FollowsBrightnessAndScale) {
  const Matrix<float> noisy = with_noise(made_image(40, 33), 10, 1);
  Matrix<float> brighter = noisy, twice = noisy;
  for (float& value : brighter.values()) value += 64;
  for (float& value : twice.values()) value *= 2;
  Matrix<double> omega = cosine_rows(5);
  const auto image = denoise_by_operator(noisy, omega, {.sigma = 10}).image;
  const auto of_brighter = denoise_by_operator(brighter, omega, {.sigma = 10}).image;
  const auto of_twice = denoise_by_operator(twice, omega, {.sigma = 20}).image;
  for (double& value : omega.values()) value *= 7;  // rows count by their direction only
  const auto by_others = denoise_by_operator(noisy, omega, {.sigma = 10}).image;
  for (std::int64_t i = 0; i < image.size(); ++i) {
    EXPECT_NEAR(of_brighter.data()[i], image.data()[i] + 64, 0.05);
    EXPECT_NEAR(of_twice.data()[i], 2 * image.data()[i], 0.1);
    EXPECT_NEAR(by_others.data()[i], image.data()[i], 0.05);
  }
}

TEST(ImageDenoising, InTilesIsNearlyThatOfTheWhole) {
  const Matrix<float> clean = made_image(60, 230), noisy = with_noise(clean, 20, 2);
  const Matrix<double> omega = cosine_rows(5);
  for (const ImagePenalty penalty : {ImagePenalty::log, ImagePenalty::l1}) {
    const auto whole = denoise_by_operator(noisy, omega, {.sigma = 20, .penalty = penalty});
    const auto tiles = denoise_by_operator(noisy, omega, {.sigma = 20, .penalty = penalty, .tile = 128});
    double squares = 0;
    for (std::int64_t i = 0; i < whole.image.size(); ++i) {
      squares += std::pow(whole.image.data()[i] - tiles.image.data()[i], 2);
    }
    EXPECT_LT(std::sqrt(squares / static_cast<double>(whole.image.size())), 0.4);
    EXPECT_NEAR(psnr(whole.image, clean), psnr(tiles.image, clean), 0.03);
  }
}

// The border of an image lies in the middle of the image with its mirror images around it, and the result is
// the same there. A model with patches that reach beyond the border, but without data for them, differs by
// several grey levels.
TEST(ImageDenoising, BordersAreAsInTheMirroredImage) {
  constexpr std::int64_t kBeyond = 16;
  const Matrix<float> noisy = with_noise(made_image(48, 40), 20, 3);
  Matrix<float> larger(48 + 2 * kBeyond, 40 + 2 * kBeyond);
  const auto place = [](std::int64_t i, std::int64_t extent) {
    return i < 0 ? -1 - i : i >= extent ? 2 * extent - 1 - i : i;
  };
  for (std::int64_t i = 0; i < larger.rows(); ++i) {
    for (std::int64_t j = 0; j < larger.cols(); ++j) {
      larger(i, j) = noisy(place(i - kBeyond, 48), place(j - kBeyond, 40));
    }
  }
  const Matrix<double> omega = cosine_rows(8);
  const auto found = denoise_by_operator(noisy, omega, {.sigma = 20}).image;
  const auto within = denoise_by_operator(larger, omega, {.sigma = 20}).image;
  double squares = 0;
  for (std::int64_t i = 0; i < 48; ++i) {
    for (std::int64_t j = 0; j < 40; ++j) {
      squares += std::pow(found(i, j) - within(i + kBeyond, j + kBeyond), 2);
    }
  }
  EXPECT_LT(std::sqrt(squares / static_cast<double>(found.size())), 1.5);
}

TEST(ImageDenoising, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> noisy = with_noise(made_image(30, 150), 15, 2);
  const Matrix<double> omega = random_rows(20, 4, 1);
  for (const ImagePenalty penalty : {ImagePenalty::log, ImagePenalty::l1}) {
    const ImageDenoisingOptions options{.penalty = penalty, .max_iterations = 6, .tile = 128};
    const auto one = denoise_by_operator(noisy, omega, options, Context(1));
    for (const int threads : {2, 3}) {
      const auto other = denoise_by_operator(noisy, omega, options, Context(threads));
      EXPECT_TRUE(
          std::equal(one.image.values().begin(), one.image.values().end(), other.image.values().begin()));
    }
  }
}

TEST(ImageDenoising, LeavesAConstantImageAsItIs) {
  Matrix<float> constant(20, 30);
  for (float& value : constant.values()) value = 77;
  for (const ImagePenalty penalty : {ImagePenalty::log, ImagePenalty::l1}) {
    const auto found = denoise_by_operator(constant, cosine_rows(4), {.sigma = 10, .penalty = penalty});
    for (const float value : found.image.values()) EXPECT_NEAR(value, 77, 1e-3);
  }
  const Matrix<float> one = denoise_by_operator(Matrix<float>(1, 1), cosine_rows(8), {.sigma = 1}).image;
  EXPECT_NEAR(one(0, 0), 0, 1e-6);
}

TEST(ImageDenoising, RefusesWhatCannotBe) {
  const Matrix<double> omega = cosine_rows(4);
  Matrix<float> image = made_image(30, 30);
  const auto refuse = [&](const std::string& piece, const ImageDenoisingOptions& options,
                          const Matrix<double>& rows) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { denoise_by_operator(image, rows, options); });
  };
  refuse("sigma", {.sigma = -1}, omega);
  refuse("sigma", {.sigma = std::numeric_limits<double>::quiet_NaN()}, omega);
  refuse("weight", {.sigma = 1, .weight = -1}, omega);
  refuse("tile: 100 is out of range", {.sigma = 1, .tile = 100}, omega);
  refuse("operator: 24 rows of 15 values are not square patches", {.sigma = 1}, Matrix<double>(24, 15));
  refuse("operator: 2 rows of 289 values", {.sigma = 1}, Matrix<double>(2, 289));
  refuse("operator: row 0 is 0", {.sigma = 1}, Matrix<double>(3, 16));
  for (float& value : image.values()) value = 5;
  refuse("sigma: no noise is found", {}, omega);
  image(3, 4) = std::numeric_limits<float>::quiet_NaN();
  refuse("image: row 3, column 4 is nan; must be finite", {.sigma = 1}, omega);
  expect_error(ErrorCode::invalid_argument, "no pixels",
               [&] { denoise_by_operator({}, omega, {.sigma = 1}); });
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { denoise_by_operator(made_image(9, 9), omega, {.sigma = 1}, context); });
}

}  // namespace
}  // namespace parsimony::images
