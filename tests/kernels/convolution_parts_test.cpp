// The parts of a convolutional network that are not products.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/depthwise.hpp"
#include "kernels/every_target.hpp"
#include "kernels/finish_rows.hpp"
#include "kernels/normals.hpp"

namespace parsimony::kernels::convolution_parts_test {
namespace {

constexpr Activation kAll[] = {Activation::none, Activation::relu6, Activation::silu, Activation::sigmoid};

TEST(FinishRows, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const Activation activation : kAll) {
      for (const std::int64_t columns : {16, 48}) {
        for (const std::int64_t rows : {0, 1, 7}) {
          for (const int parts : {0, 1, 2, 3}) {
            const std::int64_t x_stride = columns + 3, add_stride = columns + 5, y_stride = columns + 7;
            std::vector<float> x = normals(8 * x_stride, 1, 9);
            x[3] = 1e30F, x[4] = -1e30F, x[5] = 0;
            const std::vector<float> factor = normals(columns, 2), bias = normals(columns, 3),
                                     add = normals(8 * add_stride, 4);
            const Finish finish{(parts & 1) != 0 ? factor.data() + 1 : nullptr,
                                (parts & 2) != 0 ? bias.data() + 1 : nullptr, activation};
            const float* added = parts == 3 ? add.data() + 1 : nullptr;
            std::vector<float> y(8 * y_stride + 1, 5), right = y;
            finish_rows(x.data() + 1, x_stride, rows, columns, finish, added, add_stride, y.data() + 1,
                        y_stride);
            finish_rows_scalar(x.data() + 1, x_stride, rows, columns, finish, added, add_stride,
                               right.data() + 1, y_stride);
            for (std::size_t i = 0; i < y.size(); ++i) {
              ASSERT_NEAR(y[i], right[i], 1e-6F * std::max(1.0F, std::abs(right[i]))) << i;
            }
          }
        }
      }
    }
  });
}

TEST(FinishRows, SigmoidIsAccurateEverywhere) {
  for_targets([] {
    std::vector<float> x(16 * 1024), y(x.size()), z(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / 64 - 128;
    finish_rows(x.data(), 16, 1024, 16, {.activation = Activation::sigmoid}, nullptr, 0, y.data(), 16);
    finish_rows(x.data(), 16, 1024, 16, {.activation = Activation::silu}, nullptr, 0, z.data(), 16);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double right = 1 / (1 + std::exp(-static_cast<double>(x[i])));
      ASSERT_NEAR(y[i], right, 3e-7) << x[i];
      ASSERT_NEAR(z[i], x[i] * right, 4e-7 * std::max(1.0F, std::abs(x[i]))) << x[i];
    }
  });
}

TEST(Depthwise, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const std::int64_t kernel : {3, 5}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t channels : {16, 48}) {
          for (std::int64_t outputs = 0; outputs <= 19; ++outputs) {
            const std::int64_t x_pixel = channels + 16, x_row = x_pixel * (outputs * stride + kernel) + 1,
                               y_pixel = channels + 2, weight_stride = channels + 8;
            const std::vector<float> x = normals(x_row * kernel, 1),
                                     weights = normals(kernel * kernel * weight_stride, 2),
                                     bias = normals(channels, 3);
            const Depthwise layer{kernel,        stride,          channels,         weights.data() + 1,
                                  weight_stride, bias.data() + 1, kAll[outputs % 4]};
            std::vector<float> y(y_pixel * 19 + 1, 5), right = y, sums = normals(channels, 4),
                                                       right_sums = sums;
            const bool pooled = outputs % 3 != 0;
            depthwise_row(layer, x.data() + 1, x_row, x_pixel, outputs, y.data() + 1, y_pixel,
                          pooled ? sums.data() + 1 : nullptr);
            depthwise_row_scalar(layer, x.data() + 1, x_row, x_pixel, outputs, right.data() + 1, y_pixel,
                                 pooled ? right_sums.data() + 1 : nullptr);
            for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], right[i], 2e-5) << i;
            for (std::size_t i = 0; i < sums.size(); ++i) ASSERT_NEAR(sums[i], right_sums[i], 2e-4) << i;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::convolution_parts_test
