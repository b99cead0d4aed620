#include "parsimony/images/unrolled_flow.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "expect_error.hpp"
#include "images/flow/flow_file.hpp"
#include "images/flow_reference.hpp"
#include "images/perturbed_flow.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"
#include "temporary_directory.hpp"

namespace parsimony::images {
namespace {

Matrix<float> noise(std::int64_t height, std::int64_t width, float sigma) {
  Matrix<float> out(height, width);
  RandomStream(3, "test.noise").fill_normal(out.values(), 0, sigma);
  for (std::int64_t k = 0; k < out.size(); ++k) out.data()[k] += static_cast<float>(k % 17);
  return out;
}

// The image continued by `side` pixels, its border pixels repeated: the way numpy.pad says symmetric.
Matrix<double> continued(const Matrix<float>& image, std::int64_t side, double sigma) {
  Matrix<double> out(image.rows() + 2 * side, image.cols() + 2 * side);
  const auto at = [](std::int64_t i, std::int64_t n) {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
  };
  for (std::int64_t y = 0; y < out.rows(); ++y) {
    for (std::int64_t x = 0; x < out.cols(); ++x) {
      out(y, x) = static_cast<double>(image(at(y - side, image.rows()), at(x - side, image.cols()))) / sigma;
    }
  }
  return out;
}

void expect_reference(const UnrolledFlow& flow, const Matrix<float>& image, double sigma) {
  SCOPED_TRACE(::testing::Message() << image.rows() << " x " << image.cols());
  const DenoisedImage found = denoise_by_flow(image, flow, sigma);
  const Matrix<double> expected = testing::reference_flow(flow, continued(image, flow.side, sigma));
  ASSERT_EQ(found.image.rows(), image.rows());
  ASSERT_EQ(found.image.cols(), image.cols());
  double squares = 0;
  for (std::int64_t y = 0; y < image.rows(); ++y) {
    for (std::int64_t x = 0; x < image.cols(); ++x) {
      // float32 of values up to 20 through a few steps.
      ASSERT_NEAR(found.image(y, x), sigma * expected(y + flow.side, x + flow.side), 1e-4) << y << " " << x;
      squares += std::pow(static_cast<double>(found.image(y, x)) - static_cast<double>(image(y, x)), 2);
    }
  }
  EXPECT_NEAR(std::get<double>(found.report.figures.front().second),
              std::sqrt(squares / static_cast<double>(image.size())), 1e-6);
}

TEST(UnrolledFlow, IsItsDefinition) {
  const UnrolledFlow flow = perturbed_flow(5, 3, 4);
  for (const auto& [height, width] : {std::pair{1, 1}, {2, 3}, {1, 40}, {37, 21}, {50, 17}}) {
    expect_reference(flow, noise(height, width, 2), 2);
  }
  expect_reference(perturbed_flow(9, 2, 8), noise(23, 30, 2), 2);
  expect_reference(perturbed_flow(3, 2, 2), noise(23, 30, 2), 2);
  expect_reference(perturbed_flow(3, 2, 9), noise(5, 11, 2), 2);
}

// Rows longer than a strip are cut into pieces.
TEST(UnrolledFlow, IsItsDefinitionOnWideImages) {
  expect_reference(perturbed_flow(2, 2, 3), noise(4, 1200, 2), 2);
  expect_reference(perturbed_flow(2, 2, 3), noise(3, 2600, 2), 2);
}

TEST(UnrolledFlow, GivesTheSameBytesWithAnyNumberOfThreads) {
  const UnrolledFlow flow = perturbed_flow(7, 3, 5);
  const Matrix<float> image = noise(150, 90, 3);
  const DenoisedImage one = denoise_by_flow(image, flow, 3, Context(1));
  for (const int threads : {2, 3, 8}) {
    const DenoisedImage other = denoise_by_flow(image, flow, 3, Context(threads));
    EXPECT_TRUE(std::equal(one.image.values().begin(), one.image.values().end(), other.image.data()));
    EXPECT_EQ(one.report.figures, other.report.figures);
  }
}

// Noise and image on another scale, the result on that scale.
TEST(UnrolledFlow, KnowsNoScaleButSigma) {
  const UnrolledFlow flow = perturbed_flow(7, 3, 4);
  Matrix<float> image = noise(20, 30, 3);
  const Matrix<float> found = denoise_by_flow(image, flow, 3).image;
  for (float& value : image.values()) value *= 4;  // exact
  const Matrix<float> scaled = denoise_by_flow(image, flow, 12).image;
  for (std::int64_t k = 0; k < found.size(); ++k) EXPECT_EQ(scaled.data()[k], 4 * found.data()[k]);
}

TEST(UnrolledFlow, LeavesAConstantImageAsItIs) {
  Matrix<float> image(30, 40);
  std::fill_n(image.data(), image.size(), 100.0f);
  const DenoisedImage found = denoise_by_flow(image, initial_unrolled_flow(20, 5, 5), 10);
  for (const float value : found.image.values()) EXPECT_NEAR(value, 100, 1e-3);
}

TEST(ZeroMeanDct, IsOrthonormalAndOfMeanZero) {
  for (const std::int64_t side : {2, 5, 8}) {
    const Matrix<double> basis = zero_mean_dct(side);
    ASSERT_EQ(basis.rows(), side * side - 1);
    for (std::int64_t i = 0; i < basis.rows(); ++i) {
      double mean = 0;
      for (const double value : basis.row(i)) mean += value;
      EXPECT_NEAR(mean, 0, 1e-13);
      for (std::int64_t j = 0; j < basis.rows(); ++j) {
        double inner = 0;
        for (std::int64_t t = 0; t < basis.cols(); ++t) inner += basis(i, t) * basis(j, t);
        EXPECT_NEAR(inner, i == j, 1e-13);
      }
    }
  }
}

TEST(UnrolledFlow, RefusesWhatCannotBe) {
  const UnrolledFlow flow = initial_unrolled_flow(4, 2, 3);
  const auto refuse = [&](const Matrix<float>& image, double sigma, const UnrolledFlow& by,
                          const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { denoise_by_flow(image, by, sigma); });
  };
  refuse(Matrix<float>(0, 3), 1, flow, "image: has no pixels");
  refuse(Matrix<float>(3, 3), 0, flow, "sigma: 0 is out of range");
  refuse(Matrix<float>(3, 3), std::numeric_limits<double>::infinity(), flow, "sigma");
  Matrix<float> image(4, 5);
  image(2, 3) = std::numeric_limits<float>::quiet_NaN();
  refuse(image, 1, flow, "image: row 2, column 3 is nan");
  UnrolledFlow broken = flow;
  broken.momenta.pop_back();
  refuse(Matrix<float>(3, 3), 1, broken, "flow: momenta is 1 x 1; must be 2 x 1");
  broken = flow;
  broken.log_weights(1, 2) = 1e9;
  refuse(Matrix<float>(3, 3), 1, broken, "flow: log_weights has a value 1000000000; must be -30 to 30");
  refuse(Matrix<float>(3, 3), 1, UnrolledFlow{}, "flow: 0 filters");
  expect_error(ErrorCode::invalid_argument, "side: 17 is out of range; must be 2 to 16",
               [] { initial_unrolled_flow(1, 1, 17); });
  std::stop_source stop;
  stop.request_stop();
  Context context;
  context.stop = stop.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { denoise_by_flow(Matrix<float>(3, 3), flow, 1, context); });
}

TEST(UnrolledFlowFile, ComesBackAsItWas) {
  const TemporaryDirectory directory;
  UnrolledFlow flow = perturbed_flow(5, 3, 4);
  save_unrolled_flow(directory / "flow.npz", flow);
  UnrolledFlow read = load_unrolled_flow(directory / "flow.npz");
  EXPECT_EQ(read.side, flow.side);
  const auto expected = flow_arrays(flow), found = flow_arrays(read);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_TRUE(std::equal(expected[k].begin(), expected[k].end(), found[k].begin(), found[k].end()));
  }
  flow.log_rates[0] = std::numeric_limits<double>::quiet_NaN();
  expect_error(ErrorCode::invalid_argument, "flow: log_rates has a value nan",
               [&] { save_unrolled_flow(directory / "flow.npz", flow); });
}

// An image of flat pieces under noise: the remaining error is far smaller than the noise.
TEST(ShippedFlow, Denoises) {
  Matrix<float> clean(96, 80), noisy(96, 80);
  for (std::int64_t y = 0; y < 96; ++y) {
    for (std::int64_t x = 0; x < 80; ++x) clean(y, x) = (y / 32 + x / 27) % 2 == 0 ? 60.0f : 150.0f;
  }
  for (const double sigma : {5.0, 20.0, 50.0}) {
    SCOPED_TRACE(sigma);
    RandomStream(1, "test.noise").fill_normal(noisy.values(), 0, static_cast<float>(sigma));
    for (std::int64_t k = 0; k < clean.size(); ++k) noisy.data()[k] += clean.data()[k];
    const UnrolledFlow flow = shipped_flow(sigma);
    check_unrolled_flow(flow, "shipped");
    const Matrix<float> found = denoise_by_flow(noisy, flow, sigma).image;
    double squares = 0;
    for (std::int64_t k = 0; k < clean.size(); ++k) {
      squares += std::pow(static_cast<double>(found.data()[k]) - static_cast<double>(clean.data()[k]), 2);
    }
    EXPECT_LT(std::sqrt(squares / static_cast<double>(clean.size())), 0.3 * sigma);
  }
}

// Whatever a byte becomes: a flow that fits together, or an error with a name.
TEST(UnrolledFlowFile, IsReadAsHostile) {
  const TemporaryDirectory directory;
  save_unrolled_flow(directory / "flow.npz", initial_unrolled_flow(2, 2, 2));
  const std::string bytes = read_file(directory / "flow.npz");
  const auto try_bytes = [](const std::string& changed) {
    try {
      check_unrolled_flow(parse_unrolled_flow(changed, "input", 1 << 20), "parsed");
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::internal);
      EXPECT_NE(std::string(error.what()).find("input"), std::string::npos) << error.what();
    }
  };
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    try_bytes(changed);
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7) try_bytes(bytes.substr(0, size));
  expect_error(ErrorCode::memory_limit, "limit",
               [&] { parse_unrolled_flow(bytes, "input", static_cast<std::int64_t>(bytes.size()) + 8); });
}

}  // namespace
}  // namespace parsimony::images
