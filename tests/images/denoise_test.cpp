// denoise(), inpaint() and quality(): the calls for whole images, colours included.
#include "parsimony/images/denoise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "parsimony/images/adaptive_denoising.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "pictures.hpp"
#include "thread_counts.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::cosine_rows;
using parsimony::testing::made_image;
using parsimony::testing::with_noise;

// Three channels that differ, and alpha.
Image colors(std::int64_t height, std::int64_t width) {
  Image out{{made_image(height, width), made_image(height, width), made_image(height, width),
             made_image(height, width)},
            8,
            true};
  for (float& value : out.channels[1].values()) value = 250 - value;
  for (float& value : out.channels[2].values()) value = 0.7f * value + 20;
  return out;
}

Image noisy_colors(const Image& clean, float sigma) {
  Image out = clean;
  for (std::size_t c = 0; c < 3; ++c) out.channels[c] = with_noise(clean.channels[c], sigma, c + 1);
  return out;
}

bool same(const Matrix<float>& a, const Matrix<float>& b) {
  return std::ranges::equal(a.values(), b.values());
}

TEST(Denoise, RaisesThePsnrOfEveryChannel) {
  const Image clean = colors(64, 72), noisy = noisy_colors(clean, 20);
  const Matrix<double> cosines = cosine_rows(6);
  for (const DenoiseOptions& options :
       {DenoiseOptions{}, DenoiseOptions{.sigma = 20},
        DenoiseOptions{.sigma = 20, .analysis_operator = cosines},
        DenoiseOptions{.method = DenoiseMethod::l1, .sigma = 20, .max_iterations = 40}}) {
    const DenoiseResult found = denoise(noisy, options);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_GT(psnr(found.image.channels[c], clean.channels[c]),
                psnr(noisy.channels[c], clean.channels[c]) + 3)
          << "channel " << c << " by " << enum_name(options.method);
    }
    EXPECT_TRUE(same(found.image.channels[3], clean.channels[3])) << "alpha";
    EXPECT_EQ(found.reports.size(), 3u);
    ASSERT_EQ(found.sigmas.size(), 3u);
    for (const double sigma : found.sigmas) EXPECT_NEAR(sigma, 20, 4);
    EXPECT_GT(quality(found.image, clean).psnr, quality(noisy, clean).psnr + 3);
  }
}

TEST(Denoise, OfAGreyImageIsItsStage) {
  const Matrix<float> noisy = with_noise(made_image(40, 50), 15, 1);
  const Image image{{noisy}, 8, false};
  const auto found = [&](const DenoiseOptions& options) { return denoise(image, options).image.channels[0]; };
  const Matrix<double> shipped = operators::shipped_operator();
  EXPECT_TRUE(same(found({.sigma = 15}), denoise_by_flow(noisy, shipped_flow(15), 15).image));
  const double sigma = estimate_sigma(noisy);
  EXPECT_TRUE(same(found({}), denoise_by_flow(noisy, shipped_flow(sigma), sigma).image));
  EXPECT_TRUE(same(found({.method = DenoiseMethod::analysis, .sigma = 15, .nu = 30, .max_iterations = 4}),
                   denoise_by_operator(noisy, shipped, {.sigma = 15, .nu = 30, .max_iterations = 4}).image));
  EXPECT_TRUE(same(
      found({.method = DenoiseMethod::l1, .sigma = 15, .weight = 0.02, .max_iterations = 4}),
      denoise_by_operator(noisy, shipped,
                          {.sigma = 15, .penalty = ImagePenalty::l1, .weight = 0.02, .max_iterations = 4})
          .image));
  // auto becomes analysis where an operator is given, and a flow of the caller takes the place of the
  // shipped.
  const Matrix<double> cosines = cosine_rows(5);
  EXPECT_TRUE(same(found({.sigma = 15, .analysis_operator = cosines}),
                   denoise_by_operator(noisy, cosines, {.sigma = 15}).image));
  const UnrolledFlow own = initial_unrolled_flow(8, 2, 3);
  EXPECT_TRUE(same(found({.sigma = 15, .own_flow = own}), denoise_by_flow(noisy, own, 15).image));
}

TEST(Denoise, OfAGreyImageStoredInColoursIsGrey) {
  const Matrix<float> noisy = with_noise(made_image(48, 40), 12, 2);
  Context context(1);
  std::string said;
  context.on_log = [&](LogLevel, std::string_view text) { said += text; };
  const DenoiseResult found = denoise({{noisy, noisy, noisy, made_image(48, 40)}, 8, true}, {}, context);
  EXPECT_NE(said.find("grey, stored as RGB"), std::string::npos);
  ASSERT_EQ(found.sigmas.size(), 1u);
  EXPECT_NEAR(found.sigmas[0], 12, 2);
  EXPECT_EQ(found.reports.size(), 1u);
  ASSERT_EQ(found.image.channels.size(), 4u);
  const Matrix<float> alone = denoise({{noisy}, 8, false}).image.channels[0];
  for (std::size_t c = 0; c < 3; ++c) EXPECT_TRUE(same(found.image.channels[c], alone));
}

TEST(Denoise, LeavesColourDifferencesWithoutNoiseAsTheyAre) {
  const Matrix<float> noisy = with_noise(made_image(48, 40), 12, 2);
  Matrix<float> tinted = noisy;
  for (float& value : tinted.values()) value += 16;
  const DenoiseResult found = denoise({{noisy, noisy, tinted}, 8, false});
  ASSERT_EQ(found.sigmas.size(), 3u);
  EXPECT_GT(found.sigmas[0], 0);
  EXPECT_EQ(found.sigmas[1], 0);
  EXPECT_EQ(found.sigmas[2], 0);
  EXPECT_EQ(found.reports.size(), 1u);
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    EXPECT_NEAR(found.image.channels[0].data()[i] + 16, found.image.channels[2].data()[i], 1e-3)
        << "one tint";
  }
}

// As good as with the noise made even by the numbers that it was made with, and better than with one sigma.
TEST(Denoise, StabilizesNoiseThatGrowsWithTheBrightness) {
  const Matrix<float> clean = made_image(160, 160);
  Matrix<float> noisy = with_noise(Matrix<float>(160, 160), 1, 3);
  double squares = 0;
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    const float x = clean.data()[i];
    squares += 9 + 2 * x;
    noisy.data()[i] = x + noisy.data()[i] * std::sqrt(9 + 2 * x);
  }
  const Image image{{noisy}, 8, false};
  const DenoiseResult found = denoise(image);
  EXPECT_NEAR(found.reports[0].figure<std::vector<double>>("noise_slope").at(0), 2, 0.5);
  const double one = std::sqrt(squares / static_cast<double>(noisy.size()));
  EXPECT_NEAR(found.sigmas[0], one, 0.15 * one);
  EXPECT_GT(psnr(found.image.channels[0], clean),
            psnr(denoise(image, {.sigma = one}).image.channels[0], clean));
}

TEST(Denoise, LeavesACleanImageAsItIsAndSaysSo) {
  Matrix<float> drawing(40, 50);
  for (std::int64_t i = 0; i < drawing.size(); ++i) drawing.data()[i] = i % 50 < 20 ? 30.0f : 200.0f;
  for (const std::size_t count : {1u, 3u}) {
    Context context(1);
    std::string said;
    context.on_log = [&](LogLevel, std::string_view text) { said += text; };
    const DenoiseResult found = denoise({std::vector(count, drawing), 8, false}, {}, context);
    EXPECT_NE(said.find("no noise is found"), std::string::npos) << said;
    EXPECT_EQ(found.sigmas, std::vector<double>(1, 0.0));
    EXPECT_EQ(found.reports.size(), 1u);
    for (const auto& channel : found.image.channels) {
      for (std::int64_t i = 0; i < drawing.size(); ++i) {
        ASSERT_NEAR(channel.data()[i], drawing.data()[i], 1e-3);
      }
    }
  }
}

TEST(Denoise, SameBytesForAnyNumberOfThreads) {
  const Image noisy = noisy_colors(colors(40, 50), 15);
  for (const DenoiseMethod method : {DenoiseMethod::flow, DenoiseMethod::analysis}) {
    const DenoiseResult one = denoise(noisy, {.method = method}, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      const DenoiseResult other = denoise(noisy, {.method = method}, Context(threads));
      for (std::size_t c = 0; c < 3; ++c) EXPECT_TRUE(same(one.image.channels[c], other.image.channels[c]));
    }
  }
}

TEST(Denoise, RefusesOptionsOfAnotherMethod) {
  const Image noisy{{with_noise(made_image(30, 30), 15, 1)}, 8, false};
  const auto refused = [&](const std::string& piece, DenoiseOptions options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { denoise(noisy, options); });
  };
  const Matrix<double> rows = cosine_rows(4);
  const UnrolledFlow flow = initial_unrolled_flow(8, 2, 3);
  refused("operator: not with option method flow",
          {.method = DenoiseMethod::flow, .analysis_operator = rows});
  refused("flow: not with option operator", {.analysis_operator = rows, .own_flow = flow});
  refused("flow: not with option method l1", {.method = DenoiseMethod::l1, .own_flow = flow});
  refused("adapt: learns its own operator", {.adapt = true, .analysis_operator = rows});
  refused("adapt: not with option method analysis", {.method = DenoiseMethod::analysis, .adapt = true});
  refused("weight: not with option method flow", {.weight = 1});
  refused("nu: not with option method l1", {.method = DenoiseMethod::l1, .nu = 9});
  refused("tile: not with option method flow", {.tile = 256});
  refused("sigma: 1e-09 is out of range; must be from 1e-06 to 1000000", {.sigma = 1e-9});
  refused("weight", {.method = DenoiseMethod::l1, .weight = -1});
  expect_error(ErrorCode::invalid_argument, "2 colours", [] {
    denoise({{made_image(20, 20), made_image(20, 20)}, 8, false}, {.sigma = 1});
  });
}

TEST(Inpaint, FillsWhatIsBlackInAMaskOfColours) {
  const Image clean = colors(48, 56);
  Image holes = clean;
  // Half of the pixels that are red, green or blue alone in the mask are known all the same.
  Image mask{{Matrix<float>(48, 56), Matrix<float>(48, 56), Matrix<float>(48, 56)}, 8, false};
  const RandomStream random(1, "test.mask");
  std::vector<bool> known(static_cast<std::size_t>(48 * 56));
  for (std::int64_t i = 0; i < 48 * 56; ++i) {
    known[i] = random.uniform(i) < 0.6;
    if (known[i]) mask.channels[static_cast<std::size_t>(i % 3)].data()[i] = 1;
    for (std::size_t c = 0; c < 3 && !known[i]; ++c) holes.channels[c].data()[i] = 0;
  }
  const InpaintResult found = inpaint(holes, mask, {.max_iterations = 15});
  EXPECT_EQ(found.reports.size(), 3u);
  EXPECT_TRUE(same(found.image.channels[3], clean.channels[3])) << "alpha";
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_GT(psnr(found.image.channels[c], clean.channels[c]), 28);
    for (std::int64_t i = 0; i < 48 * 56; ++i) {
      if (!known[i]) continue;
      EXPECT_NEAR(found.image.channels[c].data()[i], clean.channels[c].data()[i], 1e-3);
    }
  }
  expect_error(ErrorCode::invalid_argument, "mask: 20 × 20 pixels for an image of 56 × 48", [&] {
    inpaint(holes, {{made_image(20, 20)}, 8, false});
  });
  // Channels of fewer values than the first, and of as many in another shape.
  for (const auto& [height, width] : {std::pair(20, 20), std::pair(56, 48)}) {
    Image uneven = mask;
    uneven.channels[2] = Matrix<float>(height, width);
    expect_error(ErrorCode::invalid_argument, "mask: the channels differ in shape: 56 × 48 and",
                 [&] { inpaint(holes, uneven); });
    uneven = holes;
    uneven.channels[1] = Matrix<float>(height, width);
    expect_error(ErrorCode::invalid_argument, "image: the channels differ in shape",
                 [&] { inpaint(uneven, mask); });
  }
  expect_error(ErrorCode::invalid_argument, "mask: no pixel is known", [&] {
    inpaint(holes, {{Matrix<float>(48, 56)}, 8, false});
  });
}

TEST(Inpaint, ReadsMasksOfEveryKindAlike) {
  Matrix<float> holes(20, 24), ones(20, 24), jpeg(20, 24), inverted(20, 24);
  for (std::int64_t i = 0; i < holes.size(); ++i) {
    const bool known = i * 7 % 5 != 0;
    const auto ringing = static_cast<float>(i % 9);
    holes.data()[i] = known ? 255.0f : 0.0f;
    ones.data()[i] = known ? 1.0f : 0.0f;
    jpeg.data()[i] = known ? 255 - ringing : ringing;
    inverted.data()[i] = 255 - holes.data()[i];
  }
  const Matrix<float> black(20, 24);
  const Matrix<float> expected = known_pixels({{holes}, 8, false});
  EXPECT_EQ(std::ranges::count(expected.values(), 0.0f), 96);
  for (const Image& mask : {Image{{ones}, 8, false}, Image{{jpeg}, 8, false}, Image{{black, holes}, 8, true},
                            Image{{black, black, black, holes}, 8, true}, Image{{ones}, 32, false}}) {
    EXPECT_TRUE(same(known_pixels(mask), expected));
  }
  EXPECT_TRUE(same(known_pixels({{inverted}, 8, false}, MissingPixels::white), expected));
}

TEST(Inpaint, SaysWhenTheMaskLooksWrong) {
  Matrix<float> picture = made_image(24, 24), mask(24, 24), turned(24, 24);
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    mask.data()[i] = i % 3 == 0 ? 0.0f : 255.0f;
    turned.data()[i] = 255 - mask.data()[i];
    if (i % 3 == 0) picture.data()[i] = 0;
  }
  const auto said = [&](const Matrix<float>& used, MissingPixels missing) {
    Context context(1);
    std::string text;
    context.on_log = [&](LogLevel level, std::string_view line) {
      EXPECT_EQ(level, LogLevel::warning);
      text += line;
    };
    const InpaintOptions options{
        .missing = missing, .max_iterations = 1, .analysis_operator = cosine_rows(3)};
    const InpaintResult found = inpaint({{picture}, 8, false}, {{used}, 8, false}, options, context);
    return std::pair(text, found.missing);
  };
  EXPECT_EQ(said(mask, MissingPixels::black), std::pair(std::string(), 1.0 / 3));
  EXPECT_EQ(said(turned, MissingPixels::white), std::pair(std::string(), 1.0 / 3));
  EXPECT_NE(said(turned, MissingPixels::black).first.find("set missing to white"), std::string::npos);
  EXPECT_NE(said(mask, MissingPixels::white).first.find("set missing to black"), std::string::npos);
  Matrix<float> all(24, 24);
  std::ranges::fill(all.values(), 255.0f);
  EXPECT_NE(said(all, MissingPixels::black).first.find("no pixel is missing"), std::string::npos);
}

TEST(Inpaint, UsesTheOperatorOfTheCaller) {
  const Matrix<float> clean = made_image(30, 30);
  Matrix<float> mask(30, 30);
  for (std::int64_t i = 0; i < mask.size(); ++i) mask.data()[i] = i % 3 == 0 ? 0.0f : 255.0f;
  const InpaintOptions options{.max_iterations = 3, .analysis_operator = cosine_rows(4)};
  EXPECT_TRUE(same(inpaint({{clean}, 8, false}, {{mask}, 8, false}, options).image.channels[0],
                   inpaint_channel(clean, mask, options).image));
  EXPECT_FALSE(same(inpaint({{clean}, 8, false}, {{mask}, 8, false}, {.max_iterations = 3}).image.channels[0],
                    inpaint_channel(clean, mask, options).image));
}

TEST(Quality, IsThatOfAllColours) {
  const Image clean = colors(30, 40), noisy = noisy_colors(clean, 9);
  double squares = 0, similarity = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::int64_t i = 0; i < clean.channels[c].size(); ++i) {
      squares += std::pow(static_cast<double>(noisy.channels[c].data()[i]) - clean.channels[c].data()[i], 2);
    }
    similarity += ssim(noisy.channels[c], clean.channels[c]) / 3;
  }
  const Quality found = quality(noisy, clean);
  EXPECT_NEAR(found.psnr, 10 * std::log10(255.0 * 255 * 3 * 30 * 40 / squares), 1e-9);
  EXPECT_NEAR(found.ssim, similarity, 1e-12);
  EXPECT_EQ(quality(clean, clean).psnr, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(quality({{made_image(9, 30)}, 8, false}, {{made_image(9, 30)}, 8, false}).ssim));
  expect_error(ErrorCode::invalid_argument, "reference: 30 × 30 pixels for an image of 40 × 30",
               [&] { quality(clean, colors(30, 30)); });
  expect_error(ErrorCode::invalid_argument, "reference: 1 colour for an image of 3", [&] {
    quality(clean, {{made_image(30, 40)}, 8, false});
  });
  Image uneven = clean;
  uneven.channels[2] = Matrix<float>(30, 30);
  expect_error(ErrorCode::invalid_argument, "reference: the channels differ in shape",
               [&] { quality(clean, uneven); });
  expect_error(ErrorCode::invalid_argument, "image: the channels differ in shape",
               [&] { quality(uneven, clean); });
  Image broken = clean;
  broken.channels[1](2, 3) = std::nanf("");
  expect_error(ErrorCode::invalid_argument, "reference: row 2, column 3 is nan",
               [&] { quality(clean, broken); });
}

}  // namespace
}  // namespace parsimony::images
