#include "data/resample.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace parsimony::data {
namespace {

double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

// The inputs that an output is the mean of.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Taps> taps_of(std::int64_t inputs, std::int64_t outputs, std::int64_t first, std::int64_t count) {
  const double scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double width = std::max(scale, 1.0);
  std::vector<Taps> out(static_cast<std::size_t>(count));
  for (std::int64_t o = 0; o < count; ++o) {
    const double center = (static_cast<double>(first + o) + 0.5) * scale;
    const auto begin = std::max<std::int64_t>(0, std::llround(center - 2 * width));
    const auto end = std::min<std::int64_t>(inputs, std::llround(center + 2 * width));
    std::vector<double> weights;
    double total = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      weights.push_back(cubic((static_cast<double>(i) - center + 0.5) / width));
      total += weights.back();
    }
    out[o].first = begin;
    for (const double weight : weights) out[o].weights.push_back(static_cast<float>(weight / total));
  }
  return out;
}

}  // namespace

Matrix<float> resample(const Matrix<float>& channel, const Window& window) {
  const auto across = taps_of(channel.cols(), window.width, window.left, window.side);
  const auto down = taps_of(channel.rows(), window.height, window.top, window.side);
  const std::int64_t first = down.front().first;
  const std::int64_t rows = down.back().first + std::ssize(down.back().weights) - first;
  Matrix<float> narrow(rows, window.side), out(window.side, window.side);
  for (std::int64_t y = 0; y < rows; ++y) {
    for (std::int64_t x = 0; x < window.side; ++x) {
      float sum = 0;
      for (std::int64_t t = 0; t < std::ssize(across[x].weights); ++t) {
        sum += across[x].weights[t] * channel(first + y, across[x].first + t);
      }
      narrow(y, x) = sum;
    }
  }
  for (std::int64_t y = 0; y < window.side; ++y) {
    for (std::int64_t x = 0; x < window.side; ++x) out(y, x) = 0;
    for (std::int64_t t = 0; t < std::ssize(down[y].weights); ++t) {
      for (std::int64_t x = 0; x < window.side; ++x) {
        out(y, x) += down[y].weights[t] * narrow(down[y].first - first + t, x);
      }
    }
  }
  return out;
}

}  // namespace parsimony::data
