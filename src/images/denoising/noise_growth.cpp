#include "parsimony/images/noise_growth.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "images/denoising/marked_image.hpp"
#include "images/denoising/noise_blocks.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kGroups = 16;
constexpr std::int64_t kGroupShare = 33;  // one block in this many of a group
constexpr std::int64_t kGroupFewest = 64;
constexpr double kGrows = 0.6;
constexpr int kFitSteps = 20;
constexpr double kLeastSlope = 1e-6;

struct Group {
  double mean = 0, variance = 0;
  double weight = 0;  // falls where low frequencies have more energy than noise has
};

// The flattest blocks of each group; fewer groups where there are few blocks.
std::vector<Group> groups_of(const std::vector<NoiseBlock>& blocks, std::vector<std::int32_t> order) {
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return std::pair(blocks[a].mean, a) < std::pair(blocks[b].mean, b);
  });
  const auto all = static_cast<std::int64_t>(order.size());
  std::vector<Group> groups;
  for (std::int64_t g = 0; g < kGroups; ++g) {
    std::vector<std::int32_t> part(order.begin() + all * g / kGroups,
                                   order.begin() + all * (g + 1) / kGroups);
    const std::int64_t count = std::max(kGroupFewest, std::ssize(part) / kGroupShare);
    if (std::ssize(part) < count) continue;
    select_flattest(part, count, [&](std::int32_t i) { return blocks[i].low / blocks[i].kept; });
    Group group;
    double low = 0, high = 0, kept = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const NoiseBlock& block = blocks[part[i]];
      group.mean += block.mean / static_cast<double>(count);
      low += block.low / block.kept;
      high += block.high;
      kept += block.kept;
    }
    group.variance = high / (kHighFrequencies * kept);
    if (group.variance <= 0) continue;
    const double texture = low / (kLowFrequencies * static_cast<double>(count)) / group.variance;
    group.weight = 1 / std::pow(std::max(1.0, texture), 2);
    groups.push_back(group);
  }
  return groups;
}

// The line through the groups by reweighted least squares.
NoiseGrowth fit(const std::vector<Group>& groups) {
  NoiseGrowth out;
  if (std::ssize(groups) < kGroups / 2) return out;
  for (int step = 0; step < kFitSteps; ++step) {
    double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
    for (const Group& group : groups) {
      const double expected =
          step == 0 ? group.variance : std::max(1e-12, out.constant + out.slope * group.mean);
      const double error = step == 0 ? 0 : group.variance / expected - 1;
      const double robust =
          error > 0 ? std::pow(1 + std::pow(error / 0.15, 2), 1.5) : 1 + std::pow(error / 0.3, 2);
      const double weight = group.weight / (expected * expected * robust);
      w += weight;
      wx += weight * group.mean;
      wxx += weight * group.mean * group.mean;
      wy += weight * group.variance;
      wxy += weight * group.mean * group.variance;
    }
    const double determinant = w * wxx - wx * wx;
    if (!(determinant > 1e-12 * w * wxx)) return {};
    out.slope = (w * wxy - wx * wy) / determinant;
    out.constant = (wy - out.slope * wx) / w;
    if (out.constant < 0) {
      out.constant = 0;
      out.slope = wxy / wxx;
    }
    if (out.slope < 0) {
      out.slope = 0;
      out.constant = wy / w;
    }
  }
  const double middle = out.constant + out.slope * groups[groups.size() / 2].mean;
  const double range = groups.back().mean - groups.front().mean;
  out.grows =
      out.slope > kLeastSlope && out.slope * range > kGrows * middle && groups.front().mean > -range / 16;
  return out;
}

}  // namespace

std::vector<NoiseGrowth> estimate_noise_growth(const Image& image, const Context& context) {
  const MarkedImage marked(image);
  std::vector<NoiseGrowth> out;
  for (std::size_t c = 0; c < marked.colors().size(); ++c) {
    std::array<double, 3> squares{};
    squares[c] = 1;
    const auto blocks = measure_noise_blocks(marked.colors()[c], marked.marks(), squares, context);
    out.push_back(fit(groups_of(blocks, usable_blocks(blocks))));
  }
  return out;
}

Matrix<float> stabilized(MatrixView<const float> image, const NoiseGrowth& growth, double sigma) {
  Matrix<float> out = copy_of(image);
  const double b = growth.slope;
  for (float& value : out.values()) {
    if (b > kLeastSlope) {
      const double inner = b * value + 0.375 * b * b + growth.constant;
      value = static_cast<float>(2 * sigma / b * std::sqrt(std::max(0.0, inner)));
    } else {
      value = static_cast<float>(value * sigma / std::sqrt(growth.constant));
    }
  }
  return out;
}

Matrix<float> unstabilized(MatrixView<const float> image, const NoiseGrowth& growth, double sigma) {
  Matrix<float> out = copy_of(image);
  const double b = growth.slope;
  for (float& value : out.values()) {
    if (b > kLeastSlope) {
      const double unit = std::max(0.0, value / sigma);
      value = static_cast<float>(b * (unit * unit / 4 - 0.125) - growth.constant / b);
    } else {
      value = static_cast<float>(value / sigma * std::sqrt(growth.constant));
    }
  }
  return out;
}

}  // namespace parsimony::images
