// Inputs of layers: how they are found, named when they are missing, and what they do to the codes.
#include "quant/plan/calibration.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant::calibration_test {
namespace {

class CalibrationOfModels : public ModelFiles {
 protected:
  CompressionPlan plan(const SafetensorsFile& model, const SafetensorsFile& calibration,
                       CompressOptions options) {
    warnings_.clear();
    Context context(1);
    context.on_log = [&](LogLevel level, std::string_view text) {
      if (level == LogLevel::warning) warnings_ += std::string(text) + "\n";
    };
    options.calibration = calibration;
    return plan_compression(model, options, context);
  }
  void expect_warning(const std::string& piece) const {
    EXPECT_NE(warnings_.find(piece), std::string::npos) << piece << "\nis not in\n" << warnings_;
  }
  // The error of a weight by the importance of its input channels.
  static double weighted_error(const SafetensorsFile& model, const std::string& name,
                               std::span<const float> importance, const QuantizedTensor& codes) {
    const TensorView& tensor = model.at(name);
    const std::vector<float> values = float32_values(tensor);
    return relative_mse({.values = values, .shape = tensor.shape, .importance = importance}, decode(codes));
  }

  std::string warnings_;
};

TEST_F(CalibrationOfModels, ALayerWithoutInputsCountsLikeOneThatHasThem) {
  // Two layers of the same distribution, whose inputs have a small deviation.
  const SafetensorsFile model = file({normal("l0.weight", {64, 64}), normal("l1.weight", {64, 64})});
  const TensorView x0 = normal("l0.input", {64, 64}, 0.01f), x1 = normal("l1.input", {64, 64}, 0.01f);
  TensorView typo = x1;
  typo.name = "L1.input";
  const CompressOptions options{.budget = 5000, .max_iterations = 3};
  const auto of_both = plan(model, file({x0, x1}, "both"), options).recipe.weights;
  EXPECT_EQ(warnings_, "");
  for (const SafetensorsFile& part : {file({x0}, "one"), file({x0, typo}, "typo")}) {
    const auto weights = plan(model, part, options).recipe.weights;
    expect_warning(
        "has no inputs for 1 of 2 weights; errors of all their values count the same: 'l1.weight'");
    for (std::size_t w = 0; w < 2; ++w) {
      EXPECT_EQ(weights[w].scheme, of_both[w].scheme);
      EXPECT_EQ(weights[w].bits, of_both[w].bits);
      EXPECT_EQ(weights[w].block_size, of_both[w].block_size);
    }
  }
  expect_warning("1 tensor belongs to no weight of the model: 'L1.input'; did you mean l1.input?");
}

TEST_F(CalibrationOfModels, TheScaleOfALayerDoesNotMatterUnderABudget) {
  const auto chosen = [&](float scale) {
    const SafetensorsFile model = file({normal("a.weight", {48, 64}), normal("b.weight", {48, 64}, scale)});
    std::vector<std::pair<int, std::int64_t>> out;
    for (const auto& weight : plan_compression(model, {.budget = 4000, .max_iterations = 3}).recipe.weights) {
      out.emplace_back(weight.bits, weight.block_size);
    }
    return out;
  };
  EXPECT_EQ(chosen(0.05f), chosen(64 * 0.05f));
}

TEST_F(CalibrationOfModels, InputsThatAreAllZeroAreNamedAndSayNothing) {
  const SafetensorsFile model = file({normal("e.0.weight", {64, 64}), normal("e.1.weight", {64, 64})});
  const TensorView alive = normal("e.0.input", {8, 64});
  const TensorView dead = floats("e.1.input_second_moment", {64}, std::vector<float>(64));
  for (const char* scheme : {"int4", "pq"}) {
    const CompressionPlan with_dead =
        plan(model, file({alive, dead}, "dead"), {.scheme = scheme, .max_iterations = 3});
    expect_warning("are all 0");
    expect_warning("'e.1.weight'");
    EXPECT_TRUE(with_dead.importance.at(1).empty());
    const CompressionPlan without =
        plan(model, file({alive}, "without"), {.scheme = scheme, .max_iterations = 3});
    EXPECT_EQ(quantize_model(model, with_dead).model.weights[1].packed,
              quantize_model(model, without).model.weights[1].packed);
  }
}

TEST_F(CalibrationOfModels, TheRangeOfIntegersIsThatOfLeastWeightedError) {
  // A quarter of the inputs is a hundred times as strong as the others.
  const SafetensorsFile model = file({normal("a.weight", {32, 128})});
  std::vector<float> moments(128, 1);
  std::fill_n(moments.begin(), 32, 1e4f);
  const SafetensorsFile calibration = file({floats("a.input_second_moment", {128}, moments)}, "moments");
  for (const char* scheme : {"int2", "int3", "int4"}) {
    const QuantizedModel without = quantize_model(model, plan_compression(model, {.scheme = scheme}));
    const QuantizedModel with = quantize_model(model, plan(model, calibration, {.scheme = scheme}));
    EXPECT_LT(weighted_error(model, "a.weight", moments, with.model.weights[0]),
              0.95 * weighted_error(model, "a.weight", moments, without.model.weights[0]));
  }
  // Equal moments change nothing.
  const SafetensorsFile even =
      file({floats("a.input_second_moment", {128}, std::vector<float>(128, 7))}, "even");
  EXPECT_EQ(quantize_model(model, plan(model, even, {.scheme = "int4"})).model.weights[0].packed,
            quantize_model(model, plan_compression(model, {.scheme = "int4"})).model.weights[0].packed);
}

TEST_F(CalibrationOfModels, ATiedWeightHasTheInputsOfEitherName) {
  TensorView twin = normal("decoder.weight", {64, 32});
  const TensorView head = twin;
  twin.name = "lm_head.weight";
  const SafetensorsFile model = file({head, twin});
  const CompressionPlan tied =
      plan(model, file({normal("lm_head.input", {8, 32})}, "inputs"), {.scheme = "int4"});
  ASSERT_EQ(tied.importance.size(), 1u);
  EXPECT_EQ(tied.importance[0].size(), 32u);
  EXPECT_EQ(warnings_, "");
}

TEST_F(CalibrationOfModels, EmbeddingsHaveNoInputsWithoutAWarning) {
  const SafetensorsFile model =
      file({normal("embeddings.word_embeddings.weight", {64, 32}), normal("fc.weight", {64, 32})});
  plan(model, file({normal("fc.input", {8, 32})}, "inputs"), {.scheme = "int8"});
  EXPECT_EQ(warnings_, "");
}

TEST_F(CalibrationOfModels, AWeightWithItsInputsFirstHasTheirMomentsByRow) {
  std::vector<float> moments(16);
  for (std::size_t i = 0; i < moments.size(); ++i) moments[i] = static_cast<float>(i);
  const SafetensorsFile inputs = file({floats("c_attn.input_second_moment", {16}, moments)}, "inputs");
  const std::vector<float> importance =
      inputs_of({"c_attn.weight", DType::float32, {16, 48}}, inputs).importance;
  ASSERT_EQ(importance.size(), 16u * 48u);
  for (std::size_t i = 0; i < importance.size(); ++i) ASSERT_EQ(importance[i], moments[i / 48]);
}

}  // namespace
}  // namespace parsimony::quant::calibration_test
