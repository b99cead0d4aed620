#include "parsimony/operators/signals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

double coefficient(const Matrix<double>& omega, std::int64_t row, const Matrix<float>& signals,
                   std::int64_t s) {
  double sum = 0;
  for (std::int64_t c = 0; c < omega.cols(); ++c) sum += omega(row, c) * signals(s, c);
  return sum;
}

TEST(CosparseSignals, AreOrthogonalToSoManyRows) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  for (const std::int64_t cosparsity : {0, 1, 10, 15}) {
    const Matrix<float> signals =
        cosparse_signals(omega, {.samples = 300, .cosparsity = cosparsity, .seed = 2});
    std::vector<std::int64_t> used(24);
    for (std::int64_t s = 0; s < 300; ++s) {
      std::int64_t zeros = 0;
      double square = 0;
      for (std::int64_t i = 0; i < 24; ++i) {
        const bool zero = std::abs(coefficient(omega, i, signals, s)) < 1e-6;
        zeros += zero;
        used[i] += zero;
      }
      for (const float value : signals.row(s)) square += static_cast<double>(value) * value;
      EXPECT_EQ(zeros, cosparsity) << s;
      EXPECT_NEAR(square, 1, 1e-6);
    }
    // Every row equally often: 300 q / 24, with the deviation of a binomial.
    const double share = static_cast<double>(cosparsity) / 24,
                 deviation = std::sqrt(300 * share * (1 - share));
    for (const std::int64_t count : used) EXPECT_NEAR(static_cast<double>(count), 300 * share, 5 * deviation);
  }
}

TEST(CosparseSignals, OfDependentRows) {
  Matrix<double> omega(6, 3);  // e1 e1 e2 e2 e3 e3: any two rows leave a direction, three may leave none
  for (std::int64_t i = 0; i < 6; ++i) omega(i, i / 2) = 1;
  const Matrix<float> signals = cosparse_signals(omega, {.samples = 50, .cosparsity = 2});
  for (std::int64_t s = 0; s < 50; ++s) {
    int zeros = 0;
    for (std::int64_t i = 0; i < 6; ++i) zeros += std::abs(coefficient(omega, i, signals, s)) < 1e-6;
    EXPECT_GE(zeros, 2);
  }
  expect_error(ErrorCode::invalid_argument, "leave no direction",
               [&] { cosparse_signals(omega, {.samples = 50, .cosparsity = 3}); });
  EXPECT_NO_THROW(cosparse_signals(random_untf(6, 3), {.samples = 5, .cosparsity = 2}));
  expect_error(ErrorCode::invalid_argument, "leave no direction",
               [&] { cosparse_signals(random_untf(6, 3), {.samples = 1, .cosparsity = 3}); });
}

TEST(CosparseSignals, SameBytesForAnyNumberOfThreads) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  const CosparseSignalOptions options{.samples = 500, .cosparsity = 10, .seed = 4};
  const Matrix<float> one = cosparse_signals(omega, options, Context(1));
  for (const int threads : {2, 3}) {
    const Matrix<float> other = cosparse_signals(omega, options, Context(threads));
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
  }
  // More signals leave the first as they are.
  const Matrix<float> more = cosparse_signals(omega, {.samples = 501, .cosparsity = 10, .seed = 4});
  EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), more.values().begin()));
}

TEST(WithNoise, HasTheRatioAskedFor) {
  const Matrix<float> signals = cosparse_signals(random_untf(24, 16, 1), {.samples = 4000, .cosparsity = 10});
  for (const double snr : {20.0, 8.0, -3.0}) {
    const Matrix<float> noisy = with_noise(signals, snr, 1);
    double noise = 0, power = 0;
    for (std::int64_t i = 0; i < noisy.size(); ++i) {
      const double difference = static_cast<double>(noisy.data()[i]) - signals.data()[i];
      noise += difference * difference;
      power += static_cast<double>(signals.data()[i]) * signals.data()[i];
    }
    EXPECT_NEAR(10 * std::log10(power / noise), snr, 0.1);
  }
  expect_error(ErrorCode::invalid_argument, "snr_db",
               [&] { with_noise(signals, std::numeric_limits<double>::infinity()); });
}

TEST(RecoveredRows, CountRowsUpToSignScaleAndOrder) {
  const Matrix<double> truth = random_untf(24, 16, 1);
  Matrix<double> found(24, 16);
  for (std::int64_t i = 0; i < 24; ++i) {
    for (std::int64_t c = 0; c < 16; ++c) found(i, c) = (i % 2 == 0 ? -3.0 : 0.5) * truth((i + 7) % 24, c);
  }
  EXPECT_EQ(recovered_rows(truth, found), 1);
  for (std::int64_t c = 0; c < 16; ++c) found(0, c) = found(1, c);
  EXPECT_DOUBLE_EQ(recovered_rows(truth, found), 23.0 / 24);
  // At an angle of 8.2 degrees the cosine is 0.9898, at 8 degrees 0.9903.
  Matrix<double> axis(1, 2), turned(1, 2);
  axis(0, 0) = 1;
  const auto turn = [&](double degrees) {
    turned(0, 0) = std::cos(degrees * 0.017453292519943295);
    turned(0, 1) = std::sin(degrees * 0.017453292519943295);
  };
  turn(8);
  EXPECT_EQ(recovered_rows(axis, turned), 1);
  turn(8.2);
  EXPECT_EQ(recovered_rows(axis, turned), 0);
  EXPECT_EQ(recovered_rows(axis, turned, 0.98), 1);
  EXPECT_EQ(recovered_rows(truth, Matrix<double>(24, 16)), 0) << "rows of zeros are parallel to nothing";
  expect_error(ErrorCode::invalid_argument, "same columns", [&] { recovered_rows(truth, axis); });
}

TEST(CosparseSignals, RefuseWhatCannotBe) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  expect_error(ErrorCode::invalid_argument, "cosparsity",
               [&] { cosparse_signals(omega, {.cosparsity = 25}); });
  expect_error(ErrorCode::invalid_argument, "cosparsity",
               [&] { cosparse_signals(omega, {.cosparsity = -1}); });
  expect_error(ErrorCode::invalid_argument, "samples", [&] { cosparse_signals(omega, {.samples = 0}); });
}

}  // namespace
}  // namespace parsimony::operators
