#include "parsimony/spectral/distance_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "parsimony/core/error.hpp"
#include "parsimony/spectral/chebyshev.hpp"

namespace parsimony::spectral {
namespace {

constexpr double kFilterShare = 0.2;

struct Tails {
  double lower = 0;  // P(a, x), the regularised incomplete gamma function
  double upper = 0;  // Q(a, x) = 1 − P
};

// The series below a + 1, Lentz's continued fraction above: each gives the smaller tail without cancellation
// [olver2010nist] (8.7.1, 8.9.2).
Tails incomplete_gamma(double a, double x) {
  if (x <= 0) return {0, 1};
  const double scale = std::exp(a * std::log(x) - x - std::lgamma(a));
  const int most = 1000 + static_cast<int>(20 * std::sqrt(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int i = 1; i < most && term > sum * 1e-17; ++i) {
      term *= x / (a + i);
      sum += term;
    }
    const double lower = std::min(1.0, scale * sum);
    return {lower, 1 - lower};
  }
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, fraction = d;
  for (int i = 1; i < most; ++i) {
    const double numerator = -i * (i - a);
    b += 2;
    d = numerator * d + b;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = b + numerator / c;
    if (std::abs(c) < kTiny) c = kTiny;
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  const double upper = std::min(1.0, scale * fraction);
  return {1 - upper, upper};
}

}  // namespace

double probability_outside(std::int64_t signals, double low, double high) {
  if (signals < 1) refuse(fmt::format("signals: {} is out of range; must be at least 1", signals));
  if (!(low >= 0 && low <= 1 && high >= 1)) {
    refuse(fmt::format("low, high: {} and {} must hold 1 between them, low not negative", low, high));
  }
  const double a = static_cast<double>(signals) / 2;
  return std::min(1.0, incomplete_gamma(a, a * low * low).lower + incomplete_gamma(a, a * high * high).upper);
}

std::int64_t signals_within(double low, double high, double failure_probability) {
  if (!(failure_probability > 0 && failure_probability < 1)) {
    refuse(fmt::format("failure_probability: {} is out of range; must be above 0 and below 1",
                       failure_probability));
  }
  if (!(low < 1 && high > 1)) refuse(fmt::format("low, high: {} and {} leave no room about 1", low, high));
  std::int64_t enough = 1;
  while (probability_outside(enough, low, high) > failure_probability) {
    if (enough >= std::int64_t{1} << 40) refuse("error: no number of signals below 2^40 would do");
    enough *= 2;
  }
  std::int64_t few = enough / 2;  // 0 or not enough
  while (enough - few > 1) {
    const std::int64_t middle = few + (enough - few) / 2;
    (probability_outside(middle, low, high) > failure_probability ? few : enough) = middle;
  }
  return enough;
}

std::int64_t theorem_signals(double error, double beta, std::int64_t nodes) {
  if (!(error > 0 && error < 1)) refuse(fmt::format("error: {} must be above 0 and below 1", error));
  if (!(beta >= 0)) refuse(fmt::format("beta: {} must be at least 0", beta));
  if (nodes < 1) refuse(fmt::format("nodes: {} must be at least 1", nodes));
  return static_cast<std::int64_t>(
      std::ceil((4 + 2 * beta) / (error * error / 2 - error * error * error / 3) *
                std::log(static_cast<double>(nodes))));
}

std::int64_t theorem_samples(std::int64_t k, double squared_coherence, double error,
                             double failure_probability) {
  if (!(error > 0 && error < 1)) refuse(fmt::format("error: {} must be above 0 and below 1", error));
  if (!(failure_probability > 0 && failure_probability < 1)) {
    refuse(fmt::format("failure_probability: {} must be above 0 and below 1", failure_probability));
  }
  if (k < 1 || !(squared_coherence >= static_cast<double>(k) * (1 - 1e-6))) {
    refuse(fmt::format("squared_coherence: {} is below k = {}, which no basis is", squared_coherence, k));
  }
  return static_cast<std::int64_t>(std::ceil(3 / (error * error) * squared_coherence *
                                             std::log(2 * static_cast<double>(k) / failure_probability)));
}

FilterError filter_error(std::span<const double> coefficients, double lambda_max, double pass, double stop) {
  if (!(pass >= 0 && pass <= stop && stop <= lambda_max)) {
    refuse(fmt::format("pass, stop: {} and {} must be in order within 0 to {}", pass, stop, lambda_max));
  }
  FilterError out;
  // Equal steps of the angle, some ten to a lobe of the highest cosine.
  const auto greatest = [&](double from, double to, auto&& of) {
    const double first = std::acos(std::clamp(2 * from / lambda_max - 1, -1.0, 1.0));
    const double last = std::acos(std::clamp(2 * to / lambda_max - 1, -1.0, 1.0));
    const int steps = 16 + static_cast<int>(std::ceil(10 * static_cast<double>(coefficients.size()) *
                                                      (first - last) / std::numbers::pi));
    double most = 0;
    for (int i = 0; i <= steps; ++i) {
      const double lambda = (std::cos(first + (last - first) * i / steps) + 1) / 2 * lambda_max;
      most = std::max(most, of(evaluate(coefficients, lambda_max, lambda)));
    }
    return most;
  };
  out.pass = greatest(0, pass, [](double h) { return 1 - h; });
  out.stop = greatest(stop, lambda_max, [](double h) { return h; });
  return out;
}

std::int64_t distance_signals(std::int64_t nodes, const DistanceOptions& options) {
  validate_fields(options);
  const double share = kFilterShare * options.error;
  const auto count = static_cast<double>(nodes);
  const double pairs = options.all_pairs ? std::max(1.0, count * (count - 1) / 2) : 1;
  return signals_within((1 - options.error) / (1 - share), (1 + options.error) / (1 + share),
                        options.failure_probability / pairs);
}

DistancePlan plan_distances(std::int64_t nodes, std::int64_t k, double lambda_k, double lambda_next,
                            double lambda_max, const DistanceOptions& options) {
  validate_fields(options);
  if (k < 1 || k >= nodes) refuse(fmt::format("k: {} is out of range; must be 1 to {}", k, nodes - 1));
  if (!(lambda_k >= 0 && lambda_k <= lambda_next && lambda_next <= lambda_max)) {
    refuse(fmt::format("lambda_k, lambda_next: {} and {} must be in order within 0 to {}", lambda_k,
                       lambda_next, lambda_max));
  }
  const double share = kFilterShare * options.error;
  const auto count = static_cast<double>(nodes);
  DistancePlan plan{.signals = distance_signals(nodes, options), .cutoff = (lambda_k + lambda_next) / 2};
  const double shortest =  // squared
      std::min(2.0, options.least_distance * options.least_distance * 2 * static_cast<double>(k) / count);
  const double most_stop =
      shortest < 2 ? std::sqrt(((1 + share) * (1 + share) - 1) * shortest / (2 - shortest)) : 1;
  for (double order = 8;; order *= 1.25) {
    plan.order = static_cast<int>(std::min(order, static_cast<double>(options.max_order)));
    plan.filter =
        filter_error(low_pass(plan.cutoff, lambda_max, plan.order), lambda_max, lambda_k, lambda_next);
    plan.kept = plan.filter.pass <= share && plan.filter.stop <= most_stop;
    if (plan.kept || plan.order == options.max_order) return plan;
  }
}

}  // namespace parsimony::spectral
