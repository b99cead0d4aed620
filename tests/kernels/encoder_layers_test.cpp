// The parts of a Transformer that are not products.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/every_target.hpp"
#include "kernels/gelu.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/normals.hpp"
#include "kernels/softmax.hpp"

namespace parsimony::kernels::encoder_layers_test {
namespace {

TEST(Softmax, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (std::int64_t count = 1; count <= 67; ++count) {
      for (const float scale : {0.125F, 20.0F}) {
        const std::int64_t padded = (count + 15) / 16 * 16;
        std::vector<float> x = normals(padded, 1), right = x;
        softmax(x.data() + 1, count, padded, scale);
        softmax_scalar(right.data() + 1, count, padded, scale);
        float sum = 0;
        for (std::int64_t i = 1; i <= padded; ++i) {
          ASSERT_NEAR(x[i], right[i], 1e-6F * right[i] + 1e-37F) << count << " " << i;
          sum += x[i];
        }
        ASSERT_NEAR(sum, 1, 1e-6);
        for (std::int64_t i = count + 1; i <= padded; ++i) ASSERT_EQ(x[i], 0);
      }
    }
  });
}

TEST(Gelu, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (std::int64_t count = 0; count <= 67; ++count) {
      std::vector<float> x = normals(count + 1, 2, 4), right = x;
      if (count > 3) x[3] = right[3] = 1e30F, x[4] = right[4] = -1e30F, x[2] = right[2] = 0;
      gelu(x.data() + 1, count);
      gelu_scalar(right.data() + 1, count);
      for (std::int64_t i = 0; i <= count + 1; ++i) {
        ASSERT_NEAR(x[i], right[i], 4e-7F * std::max(1.0F, std::abs(right[i]))) << count << " " << i;
      }
    }
  });
}

TEST(LayerNorm, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (std::int64_t count = 1; count <= 67; ++count) {
      for (const bool sum : {false, true}) {
        const std::vector<float> y = normals(count, 3), weight = normals(count, 4), bias = normals(count, 5);
        std::vector<float> x = normals(count, 6), right = x;
        const LayerNorm norm{weight.data() + 1, bias.data() + 1, count, 1e-5F};
        layer_norm(x.data() + 1, sum ? y.data() + 1 : nullptr, norm);
        layer_norm_scalar(right.data() + 1, sum ? y.data() + 1 : nullptr, norm);
        for (std::int64_t i = 0; i <= count; ++i) ASSERT_NEAR(x[i], right[i], 2e-5) << count << " " << i;
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::encoder_layers_test
