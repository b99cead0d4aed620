// What becomes codes, and how, before anything is in codes.
#include <algorithm>

#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant {
namespace {

using S = CompressionScheme;

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
    return plan_compression(model, {.budget = budget, .iterations = 1}, {}, nullptr, context);
  };
  expect_error(ErrorCode::invalid_argument, "budget: 500 bytes; the least", [&] { plan(500); });
  EXPECT_EQ(measured, 0);
  EXPECT_LE(planned_size(plan(4000).recipe), 4000);
  EXPECT_GT(measured, 0);
}

TEST_F(CompressionPlans, SmallValuesStayFloatsWhereHalvesWouldLoseThem) {
  const SafetensorsFile model =
      file({floats("bn.running_var", {3}, {1, 1e-9f, 2}), floats("bn.bias", {3}, {1, 0, -2})});
  const CompressionPlan plan = plan_compression(model, {.scheme = S::int8, .half = true});
  EXPECT_EQ(other(plan, "bn.running_var").stored_dtype, DType::float32);
  EXPECT_EQ(other(plan, "bn.bias").stored_dtype, DType::float16);
}

TEST_F(CompressionPlans, NoBlockIsLongerThanAnOutput) {
  const SafetensorsFile model = file({normal("a.weight", {2000, 3})});
  const CompressionPlan plan = plan_compression(model, {.scheme = S::pq});
  EXPECT_EQ(plan.recipe.weights.at(0).block, 3);
  for (const std::int64_t block : {3, 8}) {
    EXPECT_EQ(planned_size(plan_compression(model, {.scheme = S::pq, .block = block}).recipe),
              planned_size(plan.recipe));
  }
}

}  // namespace
}  // namespace parsimony::quant
