#include "parsimony/cosparse/sequence_denoising.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "expect_error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::cosparse {
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

// The energy, straight from what is said of it.
double energy(const std::vector<double>& x, const std::vector<float>& y, const Matrix<double>& omega,
              double sigma, double weight, double nu) {
  const auto length = static_cast<std::int64_t>(x.size()), n = omega.cols();
  double sum = 0;
  for (std::int64_t i = 0; i < length; ++i) sum += std::pow(x[i] - y[i], 2) / 2;
  const auto at = [&](std::int64_t i) {
    while (i < 0 || i >= length) i = i < 0 ? -1 - i : 2 * length - 1 - i;
    return x[i];
  };
  for (std::int64_t row = 0; row < omega.rows(); ++row) {
    double norm = 0;
    for (const double value : omega.row(row)) norm += value * value;
    for (std::int64_t u = -n; u <= length; ++u) {
      double r = 0;
      for (std::int64_t k = 0; k < n; ++k) r += omega(row, k) * at(u + k);
      sum += weight * sigma * sigma * std::log1p(nu / (sigma * sigma) * r * r / norm);
    }
  }
  return sum;
}

TEST(SequenceDenoising, ReachesAMinimumOfItsEnergy) {
  for (const std::int64_t length : {3, 40}) {  // shorter and longer than a row
    const std::vector<float> y = with_noise(steps(length), 0.5f, 1);
    const Matrix<double> omega = cosines(6);
    const double sigma = 0.5, weight = 0.05, nu = 0.5;  // smooth enough for a minimum to be reached
    const DenoisedSequence found =
        denoise_sequence(y, omega, {.sigma = sigma, .weight = weight, .nu = nu, .max_iterations = 300});
    std::vector<double> x(found.values.begin(), found.values.end());
    const double value = energy(x, y, omega, sigma, weight, nu);
    // 5 rows by 16 padded windows and more, each off by 2⁻²² at most, beside an energy that may be small.
    EXPECT_NEAR(found.report.objective_history.back() * sigma * sigma / value, 1, 2e-4);
    EXPECT_LT(value, energy({y.begin(), y.end()}, y, omega, sigma, weight, nu));
    for (std::int64_t i = 0; i < length; i += 5) {
      const double here = x[i];
      x[i] = here + 1e-4;
      const double above = energy(x, y, omega, sigma, weight, nu);
      x[i] = here - 1e-4;
      const double below = energy(x, y, omega, sigma, weight, nu);
      x[i] = here;
      EXPECT_NEAR((above - below) / 2e-4, 0, 5e-3) << "value " << i << " of " << length;
    }
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
  refuse("sigma", cosines(4), {});
  refuse("sigma: 1e-20", cosines(4), {.sigma = 1e-20});
  refuse("row 0 is 0", Matrix<double>(2, 4), {.sigma = 1});
  refuse("0 × 0", {}, {.sigma = 1});
  signal[7] = NAN;
  refuse("not finite at 7", cosines(4), {.sigma = 1});
  signal.clear();
  refuse("no values", cosines(4), {.sigma = 1});
}

}  // namespace
}  // namespace parsimony::cosparse
