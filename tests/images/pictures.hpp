// Images to test with: some that are made, and those of ../shared/data where they are there.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>

#include "parsimony/core/image.hpp"
#include "parsimony/core/random.hpp"
#include "places.hpp"

namespace parsimony::testing {

/// Smooth shades, edges and stripes, of 20 to 235.
inline Matrix<float> made_image(std::int64_t height, std::int64_t width) {
  Matrix<float> image(height, width);
  for (std::int64_t i = 0; i < height; ++i) {
    for (std::int64_t j = 0; j < width; ++j) {
      const auto y = static_cast<double>(i), x = static_cast<double>(j);
      double value = 90 + 40 * std::sin(y / 17) + 30 * std::cos(x / 23);
      if (std::hypot(y - 20, x - 25) < 14) value = 200;
      if (j > width / 2 && i > height / 2) value += 25 * std::sin((x + 2 * y) * 0.9);
      image(i, j) = static_cast<float>(value);
    }
  }
  return image;
}

inline Matrix<float> with_noise(const Matrix<float>& image, float sigma, std::uint64_t seed) {
  Matrix<float> noise(image.rows(), image.cols());
  RandomStream(seed, "test.noise").fill_normal(noise.values(), 0, sigma);
  for (std::int64_t i = 0; i < image.size(); ++i) noise.data()[i] += image.data()[i];
  return noise;
}

/// The cosine transform of patches without their mean: side² − 1 orthonormal rows.
inline Matrix<double> cosine_rows(std::int64_t side) {
  const auto cosine = [&](std::int64_t k, std::int64_t i) {
    const auto n = static_cast<double>(side);
    const double angle =
        std::numbers::pi * (2 * static_cast<double>(i) + 1) * static_cast<double>(k) / (2 * n);
    return std::sqrt((k == 0 ? 1 : 2) / n) * std::cos(angle);
  };
  Matrix<double> rows(side * side - 1, side * side);
  for (std::int64_t k = 1; k < side * side; ++k) {
    for (std::int64_t i = 0; i < side * side; ++i) {
      rows(k - 1, i) = cosine(k / side, i / side) * cosine(k % side, i % side);
    }
  }
  return rows;
}

inline std::filesystem::path photograph(const std::string& name) {
  return places::data_folder() / "images" / name;
}

}  // namespace parsimony::testing
