#include "parsimony/quant/training_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "expect_error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/product_quantizer.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant::training_codes_test {
namespace {

using TrainingCodes = ModelFiles;

// Blocks of 5 do not divide an output, and blocks along channels lie apart.
TEST_F(TrainingCodes, TheIndexOfAValueIsThatOfItsCentroidsValue) {
  const TensorView kernel = normal("w", {6, 12, 3, 3});
  const std::vector<float> values = float32_values(kernel);
  const WeightView view{.values = values, .shape = kernel.shape};
  for (const BlockLayout layout : {BlockLayout::row, BlockLayout::input_channels}) {
    const ProductOptions options{.block_size = 5, .centroids = 16, .layout = layout};
    const QuantizedTensor codes = product_quantize({&view, 1}, options).tensors.front();
    const std::vector<std::int64_t> index = codebook_index(codes);
    const std::vector<float> decoded = decode(codes);
    ASSERT_EQ(index.size(), decoded.size());
    for (std::size_t i = 0; i < index.size(); ++i) {
      EXPECT_EQ(codes.codebook->centroids.values()[index[i]], decoded[i]);
    }
  }
  expect_error(ErrorCode::invalid_argument, "must have product codes",
               [&] { codebook_index(integer_quantize(view)); });
}

TEST_F(TrainingCodes, NewValuesTakeTheNearestCodes) {
  const TensorView weight = normal("w", {10, 40});
  const std::vector<float> values = float32_values(weight), other = float32_values(normal("v", {10, 40}));
  const WeightView view{.values = values, .shape = weight.shape};
  for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel}) {
    const QuantizedTensor codes = integer_quantize(view, {.bits = 4, .granularity = granularity});
    EXPECT_EQ(with_values(codes, values).packed, codes.packed);
    const std::vector<float> moved = decode(with_values(codes, other));
    const std::size_t each = values.size() / codes.scale.size();
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const float scale = codes.scale[i / each], zero = static_cast<float>(codes.zero_point[i / each]);
      const float low = -zero * scale, high = (15 - zero) * scale;
      EXPECT_NEAR(moved[i], std::clamp(other[i], low, high), 0.5001f * scale);
    }
  }
  expect_error(ErrorCode::invalid_argument, "without groups and levels",
               [&] { with_values(integer_quantize(view, {.bits = 4, .group = 8}), values); });
}

TEST_F(TrainingCodes, HalfScalesAreFloat16ValuesThatClipNothing) {
  const TensorView weight = normal("w", {10, 40});
  const std::vector<float> values = float32_values(weight);
  const QuantizedTensor codes = integer_quantize({.values = values, .shape = weight.shape},
                                                 {.bits = 4, .granularity = Granularity::per_channel});
  const QuantizedTensor halves = with_half_scales(codes);
  for (std::size_t o = 0; o < codes.scale.size(); ++o) {
    EXPECT_EQ(from_half(to_half(halves.scale[o])), halves.scale[o]);
    EXPECT_GE(halves.scale[o], codes.scale[o]);
    EXPECT_LE(halves.scale[o], codes.scale[o] * (1 + 0x1p-10f));
  }
}

}  // namespace
}  // namespace parsimony::quant::training_codes_test
