// Codes that make up for each other's errors.
#include "quant/codes/error_feedback.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "quant/model_files.hpp"
#include "thread_counts.hpp"

namespace parsimony::quant::error_feedback_test {
namespace {

constexpr std::int64_t kOutputs = 40, kInputs = 48, kSamples = 300;

class CodesWithFeedback : public ModelFiles {
 protected:
  // Inputs that are mixtures of few sources, so that they are correlated.
  TensorView correlated(const std::string& name, float own) {
    const std::vector<float> sources = float32_values(normal("sources", {kSamples, 6}, 1));
    const std::vector<float> mixing = float32_values(normal("mixing", {6, kInputs}, 1));
    std::vector<float> values = float32_values(normal("noise", {kSamples, kInputs}, own));
    for (std::int64_t s = 0; s < kSamples; ++s) {
      for (std::int64_t i = 0; i < kInputs; ++i) {
        for (std::int64_t k = 0; k < 6; ++k)
          values[s * kInputs + i] += sources[s * 6 + k] * mixing[k * kInputs + i];
      }
    }
    return floats(name, {kSamples, kInputs}, values);
  }
  // Σ (x · (w − ŵ))² over samples and outputs.
  static double output_error(const TensorView& input, std::span<const float> before,
                             std::span<const float> after) {
    const std::vector<float> x = float32_values(input);
    double sum = 0;
    for (std::int64_t s = 0; s < kSamples; ++s) {
      for (std::int64_t o = 0; o < kOutputs; ++o) {
        double apart = 0;
        for (std::int64_t i = 0; i < kInputs; ++i) {
          const double error = double{before[o * kInputs + i]} - after[o * kInputs + i];
          apart += error * x[s * kInputs + i];
        }
        sum += apart * apart;
      }
    }
    return sum;
  }
  static std::vector<IntegerOptions> kinds() {
    return {{.bits = 3, .range = RangeRule::mse},
            {.bits = 4, .range = RangeRule::mse, .group = 10},
            {.bits = 3, .range = RangeRule::mse, .group = 16, .levels = LevelKind::learned},
            {.bits = 4, .range = RangeRule::mse, .levels = LevelKind::nf4}};
  }
};

TEST_F(CodesWithFeedback, LowersTheErrorOfTheOutputsOfCorrelatedInputs) {
  const TensorView weight = normal("w", {kOutputs, kInputs}), input = correlated("x", 0.3f);
  const std::vector<float> values = float32_values(weight);
  const WeightView view{.values = values, .shape = weight.shape};
  const Matrix<double> moments = input_moments(input, 1, Context(1));
  for (const IntegerOptions& options : kinds()) {
    QuantizedTensor tensor = integer_quantize(view, options);
    const std::vector<float> plain = decode(tensor);
    ErrorFeedback(moments).apply(view, tensor, Context(1));
    check_codes(tensor);
    const std::vector<float> fed_back = decode(tensor);
    EXPECT_LT(output_error(input, values, fed_back), 0.5 * output_error(input, values, plain));
    EXPECT_GT(relative_mse(view, fed_back), relative_mse(view, plain));
  }
}

// Independent inputs have nothing to make up for: the nearest code of each value is best.
TEST_F(CodesWithFeedback, LeavesCodesOfIndependentInputs) {
  const TensorView weight = normal("w", {kOutputs, kInputs});
  const std::vector<float> values = float32_values(weight);
  const WeightView view{.values = values, .shape = weight.shape};
  Matrix<double> moments(kInputs, kInputs);
  for (std::int64_t i = 0; i < kInputs; ++i) moments(i, i) = static_cast<double>(i);  // the first one is dead
  for (const IntegerOptions& options : kinds()) {
    QuantizedTensor tensor = integer_quantize(view, options);
    const std::vector<std::uint8_t> before = tensor.packed;
    ErrorFeedback(moments).apply(view, tensor, Context(1));
    EXPECT_EQ(tensor.packed, before);
  }
}

// Two inputs that are always equal: the second makes up for the first, so that their sum is within half a
// step.
TEST_F(CodesWithFeedback, EqualInputsShareTheirErrors) {
  const std::vector<float> values{0.35f, 0.35f, 0.65f, 0.65f, -1, 2, 2, -1};
  const std::vector<std::int64_t> shape{4, 2};
  const WeightView view{.values = values, .shape = shape};
  QuantizedTensor tensor;
  tensor.shape = shape;
  tensor.bits = 3;
  tensor.scale = {1};
  tensor.zero_point = {2};
  tensor.packed = pack_codes(std::vector<std::uint16_t>(8, 0), 3);
  Matrix<double> moments(2, 2);
  std::ranges::fill(moments.values(), 1.0);
  ErrorFeedback(moments).apply(view, tensor, Context(1));
  EXPECT_EQ(decode(tensor), (std::vector<float>{0, 1, 1, 0, -1, 2, 2, -1}));
}

TEST_F(CodesWithFeedback, MomentsAreThoseOfTheSamples) {
  const TensorView input = normal("x", {700, 3, 2}, 1);  // two positions of three channels
  const std::vector<float> x = float32_values(input);
  const Matrix<double> moments = input_moments(input, 1, Context(1));
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 3; ++b) {
      double sum = 0;
      for (std::int64_t s = 0; s < 700; ++s) {
        for (std::int64_t p = 0; p < 2; ++p) sum += double{x[s * 6 + a * 2 + p]} * x[s * 6 + b * 2 + p];
      }
      EXPECT_NEAR(moments(a, b), sum, 1e-9);
    }
  }
}

TEST_F(CodesWithFeedback, TheSameBytesForAnyNumberOfThreads) {
  const TensorView weight = normal("w", {kOutputs, kInputs}), input = correlated("x", 0.3f);
  const std::vector<float> values = float32_values(weight);
  const WeightView view{.values = values, .shape = weight.shape};
  std::vector<std::vector<std::uint8_t>> packed;
  for (const int threads : {1, 2, 3}) {
    QuantizedTensor tensor = integer_quantize(view, {.bits = 4, .group = 16});
    ErrorFeedback(input_moments(input, 1, Context(threads))).apply(view, tensor, Context(threads));
    packed.push_back(tensor.packed);
  }
  EXPECT_EQ(packed[0], packed[1]);
  EXPECT_EQ(packed[0], packed[2]);
}

// In a whole model: layers with samples, one with moments alone, a convolution, and products.
TEST_F(CodesWithFeedback, IsForLayersWithSamples) {
  const TensorView linear = normal("a.weight", {kOutputs, kInputs});
  const SafetensorsFile model = file({linear, normal("b.weight", {kOutputs, kInputs}),
                                      normal("c.weight", {16, 8, 3, 3}), normal("d.weight", {64, 8, 1, 1})});
  const TensorView input = correlated("a.input", 0.3f);
  const SafetensorsFile calibration =
      file({input, floats("b.input_second_moment", {kInputs}, std::vector<float>(kInputs, 1)),
            normal("c.input", {2, 8, 5, 5}, 1), normal("d.input", {20, 8, 5, 5}, 1)},
           "calibration");
  CompressOptions options{.scheme = "int3", .calibration = calibration};
  const auto error = [&](bool feedback, std::int64_t layers) {
    options.feedback = feedback;
    const QuantizedModel made = quantize_model(model, plan_compression(model, options));
    if (feedback) {
      EXPECT_EQ(made.report.figure<std::int64_t>("fed_back_layers"), layers);
    }
    return output_error(input, float32_values(linear), decode(*made.model.find_weight("a.weight")));
  };
  EXPECT_LT(error(true, 2), 0.5 * error(false, 0));
  options.scheme = "a.weight=pq4,d.weight=float,*=int3";
  EXPECT_EQ(error(true, 0), error(false, 0));
  options.calibration = std::nullopt;
  options.feedback = true;
  expect_error(ErrorCode::invalid_argument, "feedback: needs option calibration",
               [&] { plan_compression(model, options); });
}

}  // namespace
}  // namespace parsimony::quant::error_feedback_test
