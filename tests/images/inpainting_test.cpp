#include "parsimony/images/inpainting.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/images/denoise.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/opponent_colors.hpp"
#include "pictures.hpp"
#include "resident_memory.hpp"

namespace parsimony::images {
namespace {

using parsimony::testing::cosine_rows;
using parsimony::testing::made_image;
using parsimony::testing::with_noise;

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

// One pixel in so many is missing, and is not a number.
struct Holes {
  Matrix<float> image, known;
  Holes(const Matrix<float>& clean, double missing) : image(clean), known(clean.rows(), clean.cols()) {
    const RandomStream random(1, "test.holes");
    for (std::int64_t i = 0; i < image.size(); ++i) {
      known.data()[i] = random.uniform(i) < missing ? 0.0f : 255.0f;
      if (known.data()[i] == 0) image.data()[i] = kNothing;
    }
  }
};

InpaintOptions with_operator(const Matrix<double>& rows, InpaintOptions options = {}) {
  options.analysis_operator = rows;
  return options;
}

TEST(Inpainting, FillsInWhatFits) {
  const Matrix<float> clean = made_image(56, 60);
  const Holes holes(clean, 0.5);
  const InpaintedImage found = inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(6)));
  for (std::int64_t i = 0; i < clean.size(); ++i) {
    if (holes.known.data()[i] == 0) continue;
    EXPECT_EQ(found.image.data()[i], clean.data()[i]);
  }
  // Beside each missing pixel the mean of its known neighbours.
  Matrix<float> means = clean;
  for (std::int64_t i = 0; i < clean.rows(); ++i) {
    for (std::int64_t j = 0; j < clean.cols(); ++j) {
      if (holes.known(i, j) != 0) continue;
      double sum = 0, count = 0;
      for (std::int64_t u = std::max<std::int64_t>(0, i - 1); u < std::min(clean.rows(), i + 2); ++u) {
        for (std::int64_t v = std::max<std::int64_t>(0, j - 1); v < std::min(clean.cols(), j + 2); ++v) {
          if (holes.known(u, v) == 0) continue;
          sum += clean(u, v);
          ++count;
        }
      }
      means(i, j) = count > 0 ? static_cast<float>(sum / count) : 128.0f;
    }
  }
  EXPECT_GT(psnr(found.image, clean), psnr(means, clean) + 4);
}

// An image without coefficients is found exactly.
TEST(Inpainting, OfAConstantIsTheConstant) {
  Matrix<float> clean(30, 41);
  for (float& value : clean.values()) value = 64;
  const Holes holes(clean, 0.9);
  const auto found = inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(4)));
  for (const float value : found.image.values()) EXPECT_NEAR(value, 64, 1e-3);
}

TEST(Inpainting, DenoisesWhatIsKnown) {
  const Matrix<float> clean = made_image(50, 52), noisy = with_noise(clean, 15, 1);
  const Holes holes(noisy, 0.3);
  const InpaintedImage found =
      inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(6), {.sigma = 15}));
  EXPECT_GT(psnr(found.image, clean), psnr(noisy, clean) + 4);
}

// Beyond the border there is the image in a mirror, with its data: pixels there are in as many patches, and
// known as well, as others.
TEST(Inpainting, BordersAreAsGoodAsTheRest) {
  double frame = 0, inside = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Matrix<float> clean(48, 48);  // the same everywhere
    for (std::int64_t i = 0; i < clean.size(); ++i) {
      clean.data()[i] = static_cast<float>(128 + 60 * std::cos(0.4 * static_cast<double>(i % 48 + i / 48)));
    }
    const Holes holes(with_noise(clean, 15, seed), 0.3);
    const Matrix<float> found =
        inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(6), {.sigma = 15})).image;
    for (std::int64_t i = 0; i < 48; ++i) {
      for (std::int64_t j = 0; j < 48; ++j) {
        const bool at_border = std::min({i, j, 47 - i, 47 - j}) < 4;
        (at_border ? frame : inside) += std::pow(found(i, j) - clean(i, j), 2) / (at_border ? 704 : 1600);
      }
    }
  }
  EXPECT_LT(frame, 1.7 * inside) << "without the mirrored data it is twice";
}

TEST(Inpainting, SameBytesForAnyNumberOfThreads) {
  const Holes holes(made_image(30, 150), 0.4);
  const InpaintOptions options{.max_iterations = 3, .tile = 128};
  const auto one =
      inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(4), options), Context(1));
  for (const int threads : {2, 3}) {
    const auto other =
        inpaint_channel(holes.image, holes.known, with_operator(cosine_rows(4), options), Context(threads));
    EXPECT_TRUE(
        std::equal(one.image.values().begin(), one.image.values().end(), other.image.values().begin()));
  }
}

TEST(Inpainting, RefusesWhatCannotBe) {
  const Matrix<double> omega = cosine_rows(4);
  const Matrix<float> image = made_image(20, 20);
  const auto refuse = [&](const std::string& piece, const Matrix<float>& pixels, const Matrix<float>& known,
                          const InpaintOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece,
                 [&] { inpaint_channel(pixels, known, with_operator(omega, options)); });
  };
  refuse("mask: 20 × 19 pixels for an image of 20 × 20", image, Matrix<float>(19, 20));
  refuse("mask: no pixel is known", image, Matrix<float>(20, 20));
  refuse("sigma", image, image, {.sigma = -1});
  refuse("tile", image, image, {.tile = 100});
  refuse("first_scale: 4 is below option last_scale, 5", image, image, {.first_scale = 4});
  Matrix<float> broken = image;
  broken(2, 3) = kNothing;
  refuse("image: row 2, column 3 is known and nan; must be finite", broken, image);
}

TEST(OpponentColors, AreOrthonormalAndGoBack) {
  Image image;
  image.alpha = true;
  for (int c = 0; c < 4; ++c) {
    image.channels.emplace_back(9, 7);
    RandomStream(c, "test").fill_normal(image.channels.back().values(), 0, 50);
  }
  double before = 0, after = 0;
  std::vector<std::int64_t> order;
  const Image same = by_opponent_colors(image, [&](MatrixView<const float> channel, std::int64_t index) {
    order.push_back(index);
    Matrix<float> out(channel.rows, channel.cols);
    for (std::int64_t i = 0; i < out.size(); ++i) {
      out.data()[i] = channel.data[i];
      after += static_cast<double>(out.data()[i]) * out.data()[i];
    }
    return out;
  });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2}));
  for (std::size_t c = 0; c < 4; ++c) {
    for (std::int64_t i = 0; i < image.channels[c].size(); ++i) {
      const double value = image.channels[c].data()[i];
      if (c < 3) before += value * value;
      EXPECT_NEAR(same.channels[c].data()[i], value, c < 3 ? 1e-4 : 0);
    }
  }
  EXPECT_NEAR(after / before, 1, 1e-6);
  // Grey in colours has its luminance only.
  image.channels[1] = image.channels[2] = image.channels[0];
  by_opponent_colors(image, [](MatrixView<const float> channel, std::int64_t index) {
    Matrix<float> out(channel.rows, channel.cols);
    if (index > 0) {
      for (std::int64_t i = 0; i < out.size(); ++i) EXPECT_NEAR(channel.data[i], 0, 1e-5);
    }
    return out;
  });
}

TEST(InpaintMemory, IsRequiredBeforeTheWorkAndIsEnough) {
  Image mask{{Matrix<float>(300, 400)}, 8, false};
  Image image{{Matrix<float>(300, 400)}, 8, false};
  for (std::int64_t i = 0; i < image.channels[0].size(); ++i) {
    image.channels[0].data()[i] = static_cast<float>(i % 97);
    mask.channels[0].data()[i] = i % 3 == 0 ? 0.0f : 255.0f;
  }
  expect_error(ErrorCode::memory_limit, "inpainting",
               [&] { inpaint(image, mask, {}, parsimony::testing::limited_memory(4 << 20)); });
  const Context context = parsimony::testing::limited_memory(1 << 30);
  const auto corner = [](const Image& whole) {
    Image small{{Matrix<float>(16, 16)}, 8, false};
    for (std::int64_t i = 0; i < 16; ++i) std::copy_n(&whole.channels[0](i, 0), 16, &small.channels[0](i, 0));
    return small;
  };
  inpaint(corner(image), corner(mask), {.last_scale = 80, .max_iterations = 1},
          context);  // loads the program
  const std::int64_t before = parsimony::testing::resident("VmRSS");
  if (!parsimony::testing::restart_peak()) GTEST_SKIP() << "the peak of the memory cannot start anew";
  inpaint(image, mask, {.last_scale = 80, .max_iterations = 1}, context);
  const std::int64_t taken = parsimony::testing::resident("VmHWM") - before;
  const std::int64_t estimate = context.memory_estimate() - (context.memory.bytes - (std::int64_t{1} << 30));
  EXPECT_LE(taken, estimate + (1 << 20)) << taken - estimate;
}

}  // namespace
}  // namespace parsimony::images
