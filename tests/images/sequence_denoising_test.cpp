#include "parsimony/images/sequence_denoising.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "expect_error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::images {
namespace {

// The cosine transform of windows of n values, the constant left out.
Matrix<double> cosines(std::int64_t n) {
  Matrix<double> rows(n - 1, n);
  for (std::int64_t k = 1; k < n; ++k) {
    for (std::int64_t i = 0; i < n; ++i) {
      rows(k - 1, i) = std::cos(std::numbers::pi * (2.0 * static_cast<double>(i) + 1) *
                                static_cast<double>(k) / (2.0 * static_cast<double>(n)));
    }
  }
  return rows;
}

std::vector<float> steps(std::int64_t length) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < length; ++i) out.push_back(static_cast<float>((i / 97) % 2 ? 3 : 1 + i / 500));
  return out;
}

std::vector<float> with_noise(std::vector<float> signal, float sigma, std::uint64_t seed) {
  std::vector<float> noise(signal.size());
  RandomStream(seed, "test.noise").fill_normal(noise, 0, sigma);
  for (std::size_t i = 0; i < signal.size(); ++i) signal[i] += noise[i];
  return signal;
}

double mean_square(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
  return sum / static_cast<double>(a.size());
}

// The energy of what it says of the signal and its ends, and its gradient.
double energy(const std::vector<double>& x, const std::vector<double>& y, const Matrix<double>& omega,
              const SequenceDenoisingOptions& options, std::vector<double>& gradient) {
  const auto length = static_cast<std::int64_t>(x.size()), n = omega.cols();
  const double variance = options.sigma * options.sigma, nu = options.nu / variance;
  double sum = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    gradient[i] = x[i] - y[i];
    sum += gradient[i] * gradient[i] / 2;
  }
  for (std::int64_t row = 0; row < omega.rows(); ++row) {
    double norm = 0;
    for (const double value : omega.row(row)) norm += value * value;
    for (std::int64_t u = 0; u + n <= length; ++u) {
      double r = 0;
      for (std::int64_t k = 0; k < n; ++k) r += omega(row, k) / std::sqrt(norm) * x[u + k];
      sum += options.weight * variance * std::log1p(nu * r * r);
      const double slope = options.weight * variance * 2 * nu * r / (1 + nu * r * r);
      for (std::int64_t k = 0; k < n; ++k) gradient[u + k] += slope * omega(row, k) / std::sqrt(norm);
    }
  }
  return sum;
}

// Against gradient descent in float64. The curvature of the penalty is between −weight ν / 4 and 2 weight ν
// times Σ ‖rows of the windows at a value‖² ≤ rows n = 30: that of the energy lies in 0.8 to 2.5, so that
// there is one minimum and steps of 0.4 lead to it.
TEST(SequenceDenoising, ReachesTheMinimumOfItsEnergy) {
  for (const std::int64_t length : {3, 40}) {  // shorter and longer than a row
    const std::vector<float> noisy = with_noise(steps(length), 0.5f, 1);
    const Matrix<double> omega = cosines(6);
    const SequenceDenoisingOptions options{.sigma = 0.5, .weight = 0.05, .nu = 0.5, .max_iterations = 300};
    const DenoisedSequence found = denoise_sequence(noisy, omega, options);
    std::vector<double> y;
    for (std::int64_t i = -6; i < length + 6; ++i) {
      std::int64_t at = i;
      while (at < 0 || at >= length) at = at < 0 ? -1 - at : 2 * length - 1 - at;
      y.push_back(noisy[at]);
    }
    std::vector<double> x = y, gradient(y.size());
    double value = 0;
    for (int iteration = 0; iteration < 1000; ++iteration) {
      value = energy(x, y, omega, options, gradient);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] -= 0.4 * gradient[i];
    }
    ASSERT_LT(*std::ranges::max_element(gradient, {}, [](double g) { return std::abs(g); }), 1e-9);
    // log(1 + ν r²) has slopes up to √ν, and a coefficient in float32 is off by n 2⁻²⁴ times the values at
    // most.
    const double largest = std::abs(*std::ranges::max_element(y, {}, [](double v) { return std::abs(v); }));
    const double rounding = 6 * 0x1p-24 * largest / options.sigma;
    const auto terms = static_cast<double>(omega.rows() * (length + 7));
    EXPECT_NEAR(found.report.objective_history.back() * 0.25, value,
                options.weight * 0.25 * terms * std::sqrt(options.nu) * rounding + 1e-6 * value);
    ASSERT_EQ(std::ssize(found.values), length);
    for (std::int64_t i = 0; i < length; ++i)
      EXPECT_NEAR(found.values[i], x[i + 6], 2e-3) << i << " of " << length;
  }
}

TEST(SequenceDenoising, TakesNoiseOffWhateverTheScale) {
  const std::vector<float> clean = steps(1500), noisy = with_noise(clean, 0.3f, 2);
  const Matrix<double> omega = cosines(16);
  const DenoisedSequence found = denoise_sequence(noisy, omega, {.sigma = 0.3});
  EXPECT_LT(mean_square(found.values, clean), 0.2 * mean_square(noisy, clean));
  std::vector<float> small = noisy;
  for (float& value : small) value *= 0x1p-40f;
  const DenoisedSequence scaled = denoise_sequence(small, omega, {.sigma = 0.3 * 0x1p-40});
  for (std::size_t i = 0; i < small.size(); ++i) {
    EXPECT_NEAR(scaled.values[i] * 0x1p40f, found.values[i], 1e-3);
  }
  for (const int threads : {1, 3}) {
    EXPECT_EQ(denoise_sequence(noisy, omega, {.sigma = 0.3}, Context(threads)).values, found.values);
  }
}

TEST(SequenceDenoising, RefusesWhatCannotBe) {
  std::vector<float> signal = steps(30);
  const auto refuse = [&](const char* piece, const Matrix<double>& omega,
                          const SequenceDenoisingOptions& options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { denoise_sequence(signal, omega, options); });
  };
  refuse("sigma: it is not estimated", cosines(4), {});
  refuse("sigma: 1e-20", cosines(4), {.sigma = 1e-20});
  refuse("row 0 is 0", Matrix<double>(2, 4), {.sigma = 1});
  refuse("0 × 0", {}, {.sigma = 1});
  signal[7] = NAN;
  refuse("signal: value 7 is nan", cosines(4), {.sigma = 1});
  signal.clear();
  refuse("no values", cosines(4), {.sigma = 1});
}

}  // namespace
}  // namespace parsimony::images
