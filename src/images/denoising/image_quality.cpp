#include "parsimony/images/image_quality.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "parsimony/core/error.hpp"

namespace parsimony::images {
namespace {

constexpr double kDeviation = 1.5;
constexpr std::int64_t kRows = 16;  // rows of positions in a block

std::array<double, kSsimWindow> gaussian() {
  constexpr std::int64_t kMiddle = kSsimWindow / 2;
  std::array<double, kSsimWindow> weights{};
  double sum = 0;
  for (std::int64_t i = 0; i < kSsimWindow; ++i) {
    const double away = static_cast<double>(i - kMiddle) / kDeviation;
    sum += weights[i] = std::exp(-away * away / 2);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

void check_shapes(MatrixView<const float> image, MatrixView<const float> reference, std::int64_t least) {
  if (image.rows != reference.rows || image.cols != reference.cols) {
    refuse(fmt::format("the images to compare have {} × {} and {} × {} pixels", image.cols, image.rows,
                       reference.cols, reference.rows));
  }
  if (image.rows < least || image.cols < least) {
    refuse(fmt::format("images to compare must have {} × {} pixels at least, not {} × {}", least, least,
                       image.cols, image.rows));
  }
}

}  // namespace

double psnr(MatrixView<const float> image, MatrixView<const float> reference, double peak) {
  check_shapes(image, reference, 1);
  double sum = 0;
  for (std::int64_t y = 0; y < image.rows; ++y) {
    for (std::int64_t x = 0; x < image.cols; ++x) {
      const double difference = static_cast<double>(image(y, x)) - reference(y, x);
      sum += difference * difference;
    }
  }
  return 10 *
         std::log10(peak * peak * static_cast<double>(image.rows) * static_cast<double>(image.cols) / sum);
}

double ssim(MatrixView<const float> image, MatrixView<const float> reference, double peak,
            const Context& context) {
  check_shapes(image, reference, kSsimWindow);
  const auto weights = gaussian();
  const double c1 = 0.01 * peak * 0.01 * peak, c2 = 0.03 * peak * 0.03 * peak;
  const std::int64_t rows = image.rows - kSsimWindow + 1, cols = image.cols - kSsimWindow + 1;
  const double sum = context.sum_blocks(rows, kRows, [&](std::int64_t begin, std::int64_t end) {
    // Local means of a, b, a², b², ab: down the columns first, then along the row.
    std::array<std::vector<double>, 5> down;
    for (auto& values : down) values.resize(static_cast<std::size_t>(image.cols));
    double part = 0;
    for (std::int64_t y = begin; y < end; ++y) {
      for (auto& values : down) std::fill(values.begin(), values.end(), 0.0);
      for (std::int64_t u = 0; u < kSsimWindow; ++u) {
        const float *a = image.row_data(y + u), *b = reference.row_data(y + u);
        for (std::int64_t x = 0; x < image.cols; ++x) {
          const double left = a[x], right = b[x];
          down[0][x] += weights[u] * left;
          down[1][x] += weights[u] * right;
          down[2][x] += weights[u] * left * left;
          down[3][x] += weights[u] * right * right;
          down[4][x] += weights[u] * left * right;
        }
      }
      for (std::int64_t x = 0; x < cols; ++x) {
        std::array<double, 5> m{};
        for (std::size_t k = 0; k < m.size(); ++k) {
          for (std::int64_t v = 0; v < kSsimWindow; ++v) m[k] += weights[v] * down[k][x + v];
        }
        const double product = m[0] * m[1], squares = m[0] * m[0] + m[1] * m[1];
        part += (2 * product + c1) * (2 * (m[4] - product) + c2) /
                ((squares + c1) * (m[2] + m[3] - squares + c2));
      }
    }
    return part;
  });
  return sum / (static_cast<double>(rows) * static_cast<double>(cols));
}

}  // namespace parsimony::images
