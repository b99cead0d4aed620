// learn_operator(), certify() and denoise_signals(): one call each, the same as their stages.
#include "parsimony/operators/learn.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "expect_error.hpp"
#include "images/pictures.hpp"
#include "limited_memory.hpp"
#include "parsimony/operators/certify.hpp"
#include "parsimony/operators/denoise_signals.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::operators {
namespace {

using parsimony::testing::made_image;

template <class T>
bool same(const Matrix<T>& a, const Matrix<T>& b) {
  return std::ranges::equal(a.values(), b.values());
}

Matrix<float> signals() {
  return cosparse_signals(random_untf(12, 8, 3), {.samples = 300, .cosparsity = 5, .seed = 1});
}

TEST(LearnOperator, AsksForItsMemoryFirst) {
  const Matrix<float> data = signals();
  const auto refused = [](const char* what, const auto& from, const LearnOptions& options) {
    expect_error(ErrorCode::memory_limit, what,
                 [&] { learn_operator(from, options, parsimony::testing::limited_memory(1000)); });
  };
  refused("learning an operator", data.view(), {});
  refused("learning an operator", data.view(), {.method = LearnMethod::untf});
  refused("drawing the samples", data.view(), {.data = {.samples = 200}});
  const std::vector<Image> images{{{made_image(32, 32)}, 8, false}};
  refused("drawing the patches", std::span<const Image>(images), {});
}

TEST(LearnOperator, NamesTooManySamplesBeforeTheirMemory) {
  const Matrix<float> data = signals();
  expect_error(ErrorCode::invalid_argument, "samples: 1000000000 of the 300 signals", [&] {
    learn_operator(data, {.data = {.samples = 1'000'000'000}}, parsimony::testing::limited_memory(100 << 20));
  });
}

TEST(LearnOperator, TellsOfTheSignalsAndDualsThatNoiseAwareLearningKeeps) {
  const Matrix<float> data = signals();
  const auto estimate = [&](bool noise_aware) {
    LearnOptions options{.method = LearnMethod::untf, .rows = 12};
    options.untf.max_steps = 2;
    options.untf.noise_aware = noise_aware;
    const Context context(1);
    learn_operator(data, options, context);
    return context.memory_estimate();
  };
  const std::int64_t before = memory_in_use(), plain = estimate(false), aware = estimate(true);
  EXPECT_GE(plain, before + 8 * data.size());
  EXPECT_GE(aware - plain, 4 * (data.size() + 12 * data.rows()));
}

TEST(LearnOperator, IsTheChosenMethodOnTheSignals) {
  const Matrix<float> data = signals();
  LearnOptions options{.rows = 12, .seed = 4};
  options.geometric.max_iterations = 20;
  EXPECT_TRUE(same(learn_operator(data, options).analysis_operator,
                   learn_geometric(data, {.rows = 12, .max_iterations = 20, .seed = 4}).analysis_operator));
  options.data.samples = 200;
  const LearnedOperator few = learn_operator(data, options);
  EXPECT_EQ(few.samples, 200);
  EXPECT_TRUE(same(few.analysis_operator,
                   learn_geometric(draw_signals(data, 200, 4), {.rows = 12, .max_iterations = 20, .seed = 4})
                       .analysis_operator));
  options = {.method = LearnMethod::untf, .rows = 12, .zero_mean = true, .seed = 4};
  options.untf.exploration = 100;
  EXPECT_TRUE(same(
      learn_operator(data, options).analysis_operator,
      learn_untf(data, {.rows = 12, .exploration = 100, .zero_mean = true, .seed = 4}).analysis_operator));
  options.rows = 0;
  EXPECT_EQ(learn_operator(data, options).analysis_operator.rows(), 16) << "auto: twice the values";
}

// Each method by itself does the same. Four rows of the start differ from twice the values.
TEST(LearnOperator, HasTheRowsOfTheStart) {
  const Matrix<float> data = signals();
  const Matrix<double> start = random_untf(12, 8, 7);
  for (const LearnMethod method : {LearnMethod::geometric, LearnMethod::untf}) {
    LearnOptions options{.method = method, .seed = 4};
    options.geometric.max_iterations = 5;
    options.geometric.initial = start;
    options.untf.exploration = 20;
    options.untf.initial = start;
    const Matrix<double> automatic = learn_operator(data, options).analysis_operator;
    EXPECT_EQ(automatic.rows(), 12) << enum_name(method);
    options.rows = 12;
    EXPECT_TRUE(same(automatic, learn_operator(data, options).analysis_operator)) << enum_name(method);
    options.rows = 13;
    expect_error(ErrorCode::invalid_argument, "initial", [&] { learn_operator(data, options); });
  }
  EXPECT_EQ(learn_untf(data, {.exploration = 20, .initial = start}).analysis_operator.rows(), 12);
  EXPECT_EQ(learn_geometric(data, {.max_iterations = 5, .initial = start}).analysis_operator.rows(), 12);
}

// The defaults that the header states for patches of images.
TEST(LearnOperator, SuitsPatchesOfImages) {
  const std::vector<Image> images{{{made_image(70, 80)}, 8, false}};
  LearnOptions options{.rows = 20, .seed = 2};
  options.data = {.samples = 3000, .patch = 4};
  options.geometric.batches = 30;
  const Matrix<float> patches = random_patches(images[0].channels, {.count = 3000, .side = 4, .seed = 2});
  const LearnedOperator found = learn_operator(images, options);
  GeometricLearningOptions expected{.rows = 20,
                                    .nu = 5000,
                                    .kappa = 60,
                                    .mu = 2,
                                    .stages = 1,
                                    .zero_mean = true,
                                    .batch_size = 2048,
                                    .batches = 30,
                                    .seed = 2};
  EXPECT_TRUE(same(found.analysis_operator, learn_geometric(patches, expected).analysis_operator));
  for (std::int64_t i = 0; i < 20; ++i) {
    double sum = 0;
    for (const double value : found.analysis_operator.row(i)) sum += value;
    EXPECT_NEAR(sum, 0, 1e-10);
  }
  // A value that the caller gives stays, and an option of L-BFGS means L-BFGS.
  options.geometric.mu = 3;
  options.geometric.max_iterations = 4;
  expected.mu = 3;
  expected.max_iterations = 4;
  expected.batch_size = 0;
  EXPECT_TRUE(same(learn_operator(images, options).analysis_operator,
                   learn_geometric(patches, expected).analysis_operator));
}

TEST(LearnOperator, RefusesWhatCannotBe) {
  const Matrix<float> data = signals();
  const auto refused = [&](const std::string& piece, const LearnOptions& options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { learn_operator(data, options); });
  };
  refused("rows: 7 rows for signals of 8 values; must be at least 8", {.rows = 7});
  refused("rows: 6 rows for signals of 8 values without their mean", {.rows = 6, .zero_mean = true});
  refused("rows: 301 rows from 300 signals", {.rows = 301});
  LearnOptions options{.rows = 12};
  options.untf.noise_aware = true;
  refused("noise_aware: method geometric has no such option", options);
  options = {.method = LearnMethod::untf, .rows = 12};
  options.untf.lambda = 3;
  refused("lambda: is the weight of option noise_aware", options);
  options = {.rows = 12};
  options.data.samples = 301;
  refused("samples: 301 of the 300 signals", options);
  options.data = {.patch = 8};
  refused("patch: only for patches of images", options);
  options.data = {.min_deviation = 2};
  refused("min_deviation: only for patches of images", options);
  expect_error(ErrorCode::invalid_argument, "each is constant",
               [] { learn_operator(Matrix<float>(30, 8), {.rows = 12}); });
}

TEST(Certify, IsTheTestOfCleanSignals) {
  const Matrix<double> truth = random_untf(12, 8, 3);
  const Matrix<float> data = signals();
  const CertifyResult found = certify(truth, data);
  ASSERT_TRUE(found.clean.has_value());
  EXPECT_FALSE(found.pair.has_value());
  const OperatorCertificate direct = certify_operator(truth, data);
  EXPECT_EQ(found.verdict, Verdict::certified);
  EXPECT_EQ(found.explanation, direct.explanation);
  EXPECT_EQ(found.clean->multiplier, direct.multiplier);
  EXPECT_EQ(found.report().algorithm, direct.report.algorithm);
  // A tolerance above all coefficients makes each of them zero.
  EXPECT_EQ(certify(truth, data, {.zero_tolerance = 0.5}).clean->profile.signals,
            certify_operator(truth, data, {.zero_tolerance = 0.5}).profile.signals);
}

TEST(Certify, DenoisesNoisySignalsFirst) {
  const Matrix<double> truth = random_untf(12, 8, 3);
  const Matrix<float> noisy = with_noise(signals(), 20, 3);
  const CertifyResult found = certify(truth, noisy, {.noise_aware = true, .lambda = 50});
  ASSERT_TRUE(found.pair.has_value());
  const CosparseSignals denoised =
      douglas_rachford(truth, noisy, {.lambda = 50, .max_iterations = 20000, .tolerance = 1e-9});
  const PairCertificate direct = certify_pair(truth, noisy, denoised.signals, {.lambda = 50});
  EXPECT_EQ(found.verdict, direct.verdict);
  EXPECT_EQ(found.pair->zeros, direct.zeros);
  EXPECT_EQ(found.pair->multiplier, direct.multiplier);
  EXPECT_EQ(found.pair->objective, direct.objective);
}

TEST(Certify, DrawsPatchesAsLargeAsTheRows) {
  const std::vector<Image> images{{{made_image(60, 70)}, 8, false}};
  CertifyOptions options;
  options.data.samples = 200;
  const CertifyResult found = certify(parsimony::testing::cosine_rows(4), images, options);
  EXPECT_EQ(found.clean->report.algorithm, "local optimality");
  const auto profile = cosparsity_profile(parsimony::testing::cosine_rows(4), draw_patches(images, {200, 4}));
  EXPECT_EQ(found.clean->profile.signals, profile.signals);
  options.data.patch = 5;
  expect_error(ErrorCode::invalid_argument, "not patches of 5 × 5",
               [&] { certify(parsimony::testing::cosine_rows(4), images, options); });
  expect_error(ErrorCode::invalid_argument, "8 values", [&] { certify(random_untf(12, 8, 3), images); });
}

TEST(Certify, RefusesOptionsOfTheOtherTest) {
  const Matrix<double> truth = random_untf(12, 8, 3);
  const Matrix<float> data = signals();
  const auto refused = [&](const std::string& piece, const CertifyOptions& options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { certify(truth, data, options); });
  };
  refused("lambda: is the weight of option noise_aware", {.lambda = 3});
  refused("noise_aware: needs option lambda", {.noise_aware = true});
  refused("project: has no meaning", {.project = true, .noise_aware = true, .lambda = 3});
  refused("patch: only for patches of images", {.data = {.patch = 8}});
  refused("min_deviation: only for patches of images", {.data = {.min_deviation = 2}});
  refused("max_iterations: has no meaning", {.max_iterations = 9, .noise_aware = true, .lambda = 3});
}

TEST(DenoiseSignals, HasTheWeightOfTheHeader) {
  Matrix<double> rows = random_untf(12, 8, 3);
  const Matrix<float> noisy = with_noise(signals(), 15, 2);
  Matrix<double> unit = rows;
  for (double& value : unit.values()) value *= std::sqrt(12.0 / 8);
  for (double& value : rows.values()) value *= 7;  // rows count by their direction only
  const Matrix<float> found = denoise_signals(noisy, rows, {.sigma = 0.1}).signals;
  const Matrix<float> expected = douglas_rachford(unit, noisy, {.lambda = 1 / (1.2 * 8 / 12 * 0.1)}).signals;
  double squares = 0, moved = 0;
  for (std::int64_t i = 0; i < found.size(); ++i) {
    squares += std::pow(found.data()[i] - expected.data()[i], 2);
    moved += std::pow(found.data()[i] - noisy.data()[i], 2);
  }
  EXPECT_LT(std::sqrt(squares / moved), 1e-4);
  expect_error(ErrorCode::invalid_argument, "sigma: it is not estimated",
               [&] { denoise_signals(noisy, rows, {}); });
}

}  // namespace
}  // namespace parsimony::operators
