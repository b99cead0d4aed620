#include "operators/learning/noise_mixture.hpp"

#include <algorithm>
#include <cmath>

namespace parsimony::operators {

double narrow_deviation(std::vector<double> values) {
  constexpr int kIterations = 500;
  constexpr double kRounding = 1e-6;
  if (values.empty()) return 0;
  for (double& value : values) value = std::abs(value);
  std::sort(values.begin(), values.end());
  const double largest = values.back();
  if (values[values.size() / 4] <= kRounding * largest) return 0;
  // Works with squares from here on. The variances start from the smaller half of the values, and from all.
  double narrow = 0, wide = 0, share = 0.5;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] *= values[i];
    if (i < values.size() / 2) narrow += values[i];
    wide += values[i];
  }
  const auto count = static_cast<double>(values.size());
  narrow /= count / 2;
  wide /= count;
  for (int k = 0; k < kIterations; ++k) {
    // The odds of the narrow Gaussian at a given square: exp(bias − slope · square).
    const double slope = (1 / narrow - 1 / wide) / 2;
    const double bias = std::log(share / (1 - share)) + std::log(wide / narrow) / 2;
    double mass = 0, inside = 0, outside = 0;
    for (const double square : values) {
      const double weight = 1 / (1 + std::exp(slope * square - bias));
      mass += weight;
      inside += weight * square;
      outside += (1 - weight) * square;
    }
    if (mass <= 0 || mass >= count) break;
    const double before = narrow;
    narrow = inside / mass;
    wide = outside / (count - mass);
    share = mass / count;
    if (std::abs(narrow - before) <= 1e-6 * narrow) break;
  }
  return std::sqrt(std::min(narrow, wide));
}

}  // namespace parsimony::operators
