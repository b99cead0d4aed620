// Plans: which tensors become codes, and how, before any codes are made.
#include <algorithm>
#include <set>

#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant {
namespace {

class CompressionPlans : public ModelFiles {
 protected:
  static const OtherRecipe& other(const CompressionPlan& plan, const std::string& name) {
    return *std::find_if(plan.recipe.others.begin(), plan.recipe.others.end(),
                         [&](const OtherRecipe& recipe) { return recipe.name == name; });
  }
};

TEST_F(CompressionPlans, ABudgetBelowTheLeastIsRefusedBeforeAnythingIsMeasured) {
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), normal("b.weight", {32, 16, 3, 3})});
  int measured = 0;
  Context context(1);
  context.on_progress = [&](std::string_view, std::int64_t, std::int64_t) { ++measured; };
  const auto plan = [&](std::int64_t budget) {
    return plan_compression(model, {.budget = budget, .max_iterations = 1}, context);
  };
  expect_error(ErrorCode::invalid_argument, "budget: 500 bytes; the least", [&] { plan(500); });
  EXPECT_EQ(measured, 0);
  EXPECT_LE(planned_size(plan(4000).recipe), 4000);
  EXPECT_GT(measured, 0);
}

// The calibration does not fit the weight, so that reading it fails.
TEST_F(CompressionPlans, TheCalibrationIsReadAfterEverythingElseIsChecked) {
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), normal("table", {64, 64})});
  const SafetensorsFile wrong =
      file({floats("a.input_second_moment", {63}, std::vector<float>(63, 1))}, "wrong");
  const auto refused = [&](ErrorCode code, const std::string& piece, CompressOptions options) {
    options.calibration = wrong;
    expect_error(code, piece, [&] { plan_compression(model, options); });
  };
  refused(ErrorCode::unsupported, "strict: 1 tensor", {.strict = true});
  refused(ErrorCode::invalid_argument, "budget: 500 bytes; the least", {.budget = 500});
  refused(ErrorCode::format, "63 channels", {.budget = 40000});
  const SafetensorsFile taken = file({normal("a.weight", {64, 64}), normal("a.weight_scale", {64})}, "taken");
  expect_error(ErrorCode::format, "is also the name of the scale",
               [&] { plan_compression(taken, {.calibration = wrong}); });
}

TEST_F(CompressionPlans, SmallValuesStayFloatsWhereHalvesWouldLoseThem) {
  const SafetensorsFile model =
      file({floats("bn.running_var", {3}, {1, 1e-9f, 2}), floats("bn.bias", {3}, {1, 0, -2})});
  const CompressionPlan plan = plan_compression(model, {.scheme = "int8", .half = true});
  EXPECT_EQ(other(plan, "bn.running_var").stored_dtype, DType::float32);
  EXPECT_EQ(other(plan, "bn.bias").stored_dtype, DType::float16);
}

TEST_F(CompressionPlans, NoBlockIsLongerThanAnOutput) {
  const SafetensorsFile model = file({normal("a.weight", {2000, 3})});
  const CompressionPlan plan = plan_compression(model, {.scheme = "pq"});
  EXPECT_EQ(plan.recipe.weights.at(0).block_size, 3);
  for (const std::int64_t block : {3, 8}) {
    EXPECT_EQ(planned_size(plan_compression(model, {.scheme = "pq", .block_size = block}).recipe),
              planned_size(plan.recipe));
  }
}

TEST_F(CompressionPlans, ANameThatWhatBelongsToAWeightWouldHaveIsRefused) {
  const auto refused = [&](const std::string& taken, const std::string& part, CompressOptions options) {
    const SafetensorsFile model = file({normal("a.weight", {64, 64}), normal(taken, {64})});
    expect_error(ErrorCode::format, "'" + taken + "' is also the name of the " + part + " of 'a.weight'",
                 [&] { plan_compression(model, options); });
    options.exclude = "^a.weight$";
    EXPECT_TRUE(plan_compression(model, options).recipe.weights.empty());
  };
  refused("a.weight_scale", "scale", {.scheme = "int8"});
  refused("a.weight_zero_point", "zero point", {.scheme = "int8"});
  refused("a.weight_codebook", "codebook", {.scheme = "pq"});
  refused("a.weight_codebook", "codebook", {.budget = 100000});
  refused("a.weight_packed", "packed", {.budget = 100000});
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), normal("a.weight_codebook", {64})});
  EXPECT_EQ(plan_compression(model, {.scheme = "int8"}).recipe.weights.size(), 1u);  // integers have none
}

TEST_F(CompressionPlans, ALongNameIsExpectedWhereItIsExcludedOrOfOneDimension) {
  const std::string filler(2000, 'x');
  const SafetensorsFile model = file({normal("a" + filler, {64}), normal("b" + filler, {64, 64})});
  const CompressionPlan plan = plan_compression(model, {.scheme = "int8"});
  ASSERT_EQ(plan.left_alone.size(), 2u);
  EXPECT_TRUE(plan.left_alone[0].expected) << plan.left_alone[0].reason;
  EXPECT_FALSE(plan.left_alone[1].expected);
  EXPECT_NE(plan.left_alone[1].reason.find("2001 bytes"), std::string::npos) << plan.left_alone[1].reason;
  EXPECT_TRUE(plan_compression(model, {.scheme = "int8", .exclude = "^b"}).left_alone[1].expected);
}

TEST_F(CompressionPlans, WeightsOfRecurrentAndNormalizedLayersAreWeights) {
  const std::vector<std::string> weights{"weight",
                                         "lstm.weight_ih_l0",
                                         "lstm.weight_hh_l12_reverse",
                                         "lstm.weight_hr_l0",
                                         "cell.weight_hh",
                                         "conv.weight_v",
                                         "conv.parametrizations.weight.original1",
                                         "mlp.experts.gate_up_proj",
                                         "attn.in_proj_weight"};
  const std::vector<std::string> others{"weight_ih_l", "weight_ih_l0x", "weight_ihl0",
                                        "table",       "weight_u",      "a.weights"};
  std::vector<TensorView> tensors{normal("conv.weight_g", {64, 1, 1})};
  for (const auto& names : {weights, others}) {
    for (const std::string& name : names) tensors.push_back(normal(name, {64, 32}));
  }
  const CompressionPlan plan = plan_compression(file(tensors), {.scheme = "int8"});
  std::set<std::string> taken, unexpected;
  for (const WeightRecipe& weight : plan.recipe.weights) taken.insert(weight.name);
  EXPECT_EQ(taken, std::set<std::string>(weights.begin(), weights.end()));
  for (const LeftAlone& left : plan.left_alone) {
    if (!left.expected) unexpected.insert(left.name);
  }
  EXPECT_EQ(unexpected, std::set<std::string>(others.begin(), others.end()));  // weight_g has one dimension
}

TEST_F(CompressionPlans, WhatIsLeftAloneLiesThereOnceToo) {
  TensorView twin = normal("embed.weight", {64, 32});
  const TensorView first = twin;
  twin.name = "head.weight";
  TensorView code = twin;
  code.name = "third.weight";
  const SafetensorsFile model = file({first, twin, code, floats("bn1.bias", {64}, std::vector<float>(64)),
                                      floats("bn2.bias", {64}, std::vector<float>(64))});
  const CompressionPlan plan =
      plan_compression(model, {.scheme = "int4", .half = true, .exclude = "embed|head"});
  EXPECT_EQ(plan.recipe.aliases,
            (std::map<std::string, std::string, std::less<>>{{"head.weight", "embed.weight"}}));
  EXPECT_EQ(plan.recipe.others.size(), 3u);   // constants are not tied
  EXPECT_EQ(plan.recipe.weights.size(), 1u);  // nor is what is in codes to what is not
  EXPECT_EQ(plan.left_alone.size(), 4u);
  write_compact_file(directory_ / "c", quantize_model(model, plan).model);
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c")),
            planned_size(plan.recipe));
  write_dequantized(directory_ / "f", read_compact_file(directory_ / "c"));
  const SafetensorsFile floats(directory_ / "f");
  EXPECT_EQ(floats.tensors().size(), 5u);
  EXPECT_EQ(float32_values(floats.at("head.weight")), float32_values(floats.at("embed.weight")));
}

}  // namespace
}  // namespace parsimony::quant
