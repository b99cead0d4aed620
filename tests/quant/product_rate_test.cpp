// The published error of product quantization, at a size that tells: a codebook of 256 cannot fit a million
// blocks by heart.
#include <gtest/gtest.h>

#include "gaussian_weight.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/product_quantizer.hpp"

namespace parsimony::quant {
namespace {

TEST(ProductRate, AMillionGaussianBlocks) {
  const TestWeight weight({8000, 1000});
  const double mse = relative_mse(weight.view(), decode(product_quantize(weight.view())));
  RecordProperty("relative_mse", std::to_string(mse));
  EXPECT_LT(mse, 0.322);
  EXPECT_GT(mse, 0.25);
}

}  // namespace
}  // namespace parsimony::quant
