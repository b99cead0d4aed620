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
    const std::vector<double> estimates =
        estimate_errors(weight.view(), candidates, options, nullptr, Context(1));
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
  const std::vector<double> estimates =
      estimate_errors(weight.view(), candidates, options, nullptr, Context(1));
  const double error = weight.error(candidates.back(), options);
  EXPECT_NEAR(estimates.back(), error, 0.25 * error);
  EXPECT_LT(estimates.back(), estimates[estimates.size() - 2]);
}

TEST(EstimatedErrors, OfZerosAreZero) {
  Weight weight{std::vector<float>(64 * 64), {}, {"w.weight", DType::float32, {64, 64}}};
  for (const double error : estimate_errors(weight.view(), weight.candidates({}), {}, nullptr, Context(1)))
    EXPECT_EQ(error, 0);
}

// Inputs that are mixtures of few sources, so that they are correlated: samples × inputs.
std::vector<float> mixtures(std::int64_t samples, std::int64_t inputs) {
  constexpr std::int64_t kSources = 8;
  std::vector<float> sources(static_cast<std::size_t>(samples * kSources));
  std::vector<float> mixing(static_cast<std::size_t>(kSources * inputs));
  std::vector<float> values(static_cast<std::size_t>(samples * inputs));
  RandomStream(3, "sources").fill_normal(sources, 0, 1);
  RandomStream(3, "mixing").fill_normal(mixing, 0, 1);
  RandomStream(3, "noise").fill_normal(values, 0, 0.5f);
  for (std::int64_t s = 0; s < samples; ++s) {
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t k = 0; k < kSources; ++k)
        values[s * inputs + i] += sources[s * kSources + k] * mixing[k * inputs + i];
    }
  }
  return values;
}

// With correlated inputs, integers whose codes make up for each other's errors are better than the errors of
// their values say, and a budget has to know that.
TEST(EstimatedErrors, OfCodesWithFeedbackAreThoseOfTheOutputs) {
  constexpr std::int64_t kSamples = 500, kInputs = 64;
  Weight weight = uneven("w.weight", {1200, kInputs});
  const std::vector<float> x = mixtures(kSamples, kInputs);
  weight.importance.assign(kInputs, 0);
  for (std::int64_t i = 0; i < kSamples * kInputs; ++i)
    weight.importance[i % kInputs] += x[i] * x[i] / kSamples;
  const TensorView input{{"w.input", DType::float32, {kSamples, kInputs}},
                         {reinterpret_cast<const std::uint8_t*>(x.data()), 4 * x.size()}};
  const ErrorFeedback feedback(input_moments(input, 1, Context(1)));
  const CompressOptions options{.range = RangeRule::mse, .max_iterations = 5};
  std::vector<WeightRecipe> candidates;
  for (const WeightRecipe& recipe : weight.candidates(options)) {
    if (recipe.scheme == Scheme::integer && recipe.bits <= 4) candidates.push_back(recipe);
  }
  ASSERT_GT(candidates.size(), 4u);
  const std::vector<double> estimates =
      estimate_errors(weight.view(), candidates, options, &feedback, Context(1));
  double norm = 0;  // Σ a w²
  for (std::size_t i = 0; i < weight.values.size(); ++i)
    norm += static_cast<double>(weight.importance[i % kInputs]) * weight.values[i] * weight.values[i];
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    QuantizedTensor codes = quantize_weight(weight.view(), candidates[c], options, Context(1));
    feedback.apply(weight.view(), codes, Context(1));
    const std::vector<float> decoded = decode(codes, Context(1));
    double error = 0;  // Σ (x · (w − ŵ))² / samples
    for (std::int64_t s = 0; s < kSamples; ++s) {
      for (std::int64_t o = 0; o < 1200; ++o) {
        double of_output = 0;
        for (std::int64_t i = 0; i < kInputs; ++i)
          of_output +=
              double{x[s * kInputs + i]} * (decoded[o * kInputs + i] - weight.values[o * kInputs + i]);
        error += of_output * of_output / kSamples;
      }
    }
    EXPECT_NEAR(estimates[c], error / norm, 0.25 * error / norm) << candidates[c].bits;
    EXPECT_LT(estimates[c], 0.5 * weight.error(candidates[c], options)) << candidates[c].bits;
  }
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
