// Errors that are estimated from samples, and the choice that a budget makes by them.
#include "quant/plan/measure.hpp"

#include <gtest/gtest.h>

#include "parsimony/quant/decode.hpp"
#include "quant/model_files.hpp"
#include "quant/plan/candidates.hpp"
#include "quant/plan/compress_weight.hpp"
#include "quant/plan/error_share.hpp"

namespace parsimony::quant::measure_test {
namespace {

// Values whose outputs differ in scale, with heavy tails: as those of real networks.
std::vector<float> uneven_values(std::int64_t outputs, std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(outputs * n)), scales(static_cast<std::size_t>(outputs));
  RandomStream(1, "values").fill_normal(values, 0, 0.05f);
  RandomStream(1, "scales").fill_normal(scales, 0, 0.5f);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] *= std::exp(scales[i / static_cast<std::size_t>(n)]) * (1 + 5 * std::abs(values[i]));
  }
  return values;
}

struct Weight {
  std::vector<float> values, importance;
  TensorInfo info;

  WeightView view() const { return {.values = values, .shape = info.shape, .importance = importance}; }
  std::vector<WeightRecipe> candidates(const CompressOptions& options) const {
    return candidates_of(info, range_of(values, info.shape[0]), parse_scheme(options.scheme), options);
  }
  double error(const WeightRecipe& recipe, const CompressOptions& options) const {
    return relative_mse(view(), decode(quantize_weight(view(), recipe, options, Context(1)), Context(1)));
  }
};

Weight uneven(const std::string& name, std::vector<std::int64_t> shape, bool calibrated = false) {
  std::int64_t n = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) n *= shape[i];
  Weight weight{uneven_values(shape[0], n), {}, {name, DType::float32, std::move(shape)}};
  if (calibrated) {
    weight.importance.resize(static_cast<std::size_t>(weight.info.shape[1]));
    RandomStream(2, "importance").fill_normal(weight.importance, 0, 1);
    for (float& value : weight.importance) value *= value;
  }
  return weight;
}

TEST(EstimatedErrors, AreThoseOfTheWholeWeight) {
  const CompressOptions options{.range = RangeRule::min_max, .max_iterations = 5};
  for (const bool calibrated : {false, true}) {
    const Weight weight = uneven("w.weight", {1200, 64}, calibrated);
    // Candidates of every kind, of which the costliest are left out.
    std::vector<WeightRecipe> candidates;
    for (const WeightRecipe& recipe : weight.candidates(options)) {
      if (recipe.scheme == Scheme::integer ? recipe.bits % 3 == 2 : recipe.centroids == 64)
        candidates.push_back(recipe);
    }
    ASSERT_GT(candidates.size(), 6u);
    const std::vector<double> estimates = estimate_errors(weight.view(), candidates, options, Context(1));
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const double error = weight.error(candidates[c], options);
      EXPECT_NEAR(estimates[c], error, 0.12 * error)
          << enum_name(candidates[c].scheme) << candidates[c].bits << " " << candidates[c].block_size;
    }
  }
}

TEST(EstimatedErrors, OfManyCentroidsFollowFromThoseOfFew) {
  const CompressOptions options{.max_iterations = 8};
  const Weight weight = uneven("w.weight", {128, 128});
  std::vector<WeightRecipe> candidates;
  for (const WeightRecipe& recipe : weight.candidates(options)) {
    if (recipe.scheme == Scheme::product && recipe.block_size == 2) candidates.push_back(recipe);
  }
  ASSERT_EQ(candidates.back().centroids, 1024);
  const std::vector<double> estimates = estimate_errors(weight.view(), candidates, options, Context(1));
  const double error = weight.error(candidates.back(), options);
  EXPECT_NEAR(estimates.back(), error, 0.25 * error);
  EXPECT_LT(estimates.back(), estimates[estimates.size() - 2]);
}

TEST(EstimatedErrors, OfZerosAreZero) {
  Weight weight{std::vector<float>(64 * 64), {}, {"w.weight", DType::float32, {64, 64}}};
  for (const double error : estimate_errors(weight.view(), weight.candidates({}), {}, Context(1)))
    EXPECT_EQ(error, 0);
}

// The best of all combinations of candidates, each measured on the whole weight: least errors by their bytes,
// one weight after the other.
TEST(EstimatedErrors, LeadABudgetCloseToTheBestOfAllCombinations) {
  const CompressOptions plain{.max_iterations = 2};
  std::vector<Weight> weights;
  for (const char* name : {"a.weight", "b.weight", "c.query.weight", "d.weight", "e.weight"}) {
    weights.push_back(uneven(name, weights.size() % 2 == 0 ? std::vector<std::int64_t>{20, 32}
                                                           : std::vector<std::int64_t>{12, 6, 3, 3}));
    for (float& value : weights.back().values) value *= static_cast<float>(weights.size());
  }
  constexpr std::size_t kMost = 4000;
  std::vector<double> best(kMost, 0.0);  // by bytes
  std::vector<TensorView> tensors;
  for (const Weight& weight : weights) {
    std::vector<double> with(kMost, std::numeric_limits<double>::infinity());
    for (const WeightRecipe& recipe : weight.candidates(plain)) {
      const auto bytes = static_cast<std::size_t>(stored_bytes({.weights = {recipe}})[0]);
      const double error = error_share(weight.info) * weight.error(recipe, plain);
      for (std::size_t b = bytes; b < kMost; ++b) with[b] = std::min(with[b], best[b - bytes] + error);
    }
    best = with;
    tensors.push_back(
        {weight.info,
         {reinterpret_cast<const std::uint8_t*>(weight.values.data()), 4 * weight.values.size()}});
  }
  const ModelTensors model(tensors);
  for (const std::int64_t budget : {3400, 3900, 4400}) {
    CompressOptions options = plain;
    options.budget = budget;
    const CompressionPlan plan = plan_compression(model, options);
    ASSERT_LE(planned_size(plan.recipe), budget);
    const double reached = quantize_model(model, plan).report.figure<double>("budget_error");
    std::int64_t bytes = 0;
    for (const std::int64_t of_weight : stored_bytes(plan.recipe)) bytes += of_weight;
    EXPECT_LT(reached, 1.15 * best[static_cast<std::size_t>(bytes)]) << budget;
  }
}

}  // namespace
}  // namespace parsimony::quant::measure_test
