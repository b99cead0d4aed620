#include "parsimony/quant/compress.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant {
namespace {

class Compress : public ModelFiles {
 protected:
  // Convolutions, linear layers, an embedding, and what is not to be in codes; shapes that no block divides.
  SafetensorsFile network() {
    const std::vector<std::uint8_t>& counter = buffers_.emplace_back(8);
    return file({normal("conv.weight", {16, 7, 3, 3}), normal("depthwise.weight", {64, 1, 5, 5}),
                 normal("pointwise.weight", {33, 17, 1, 1}),
                 normal("fc.weight", {50, 61}, 0.05f, DType::float16),
                 normal("embed.weight", {101, 23}, 1, DType::bfloat16), normal("conv1d.weight", {20, 13, 3}),
                 normal("fc.bias", {50}), normal("bn.weight", {16}), normal("bn.running_mean", {16}),
                 TensorView{{"bn.num_batches_tracked", DType::int64, {}}, counter}});
  }
  // Written, as large as planned, read back.
  std::int64_t expect_as_planned(const SafetensorsFile& model, const CompressionPlan& plan,
                                 const CompressOptions& options) {
    const Compression done = compress(model, plan, options);
    write_compact_file(directory_ / "c", done.model);
    verify_compact_file(directory_ / "c", done.model);
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c"));
    EXPECT_EQ(size, planned_size(plan.recipe));
    write_decompressed(directory_ / "f", read_compact_file(directory_ / "c"));
    const SafetensorsFile floats(directory_ / "f");
    EXPECT_EQ(floats.tensors().size(), model.tensors().size());
    for (const TensorView& tensor : model.tensors()) {
      EXPECT_EQ(floats.at(tensor.name).shape, tensor.shape);
      EXPECT_EQ(floats.at(tensor.name).dtype, tensor.dtype);
    }
    return size;
  }
};

using S = CompressionScheme;

TEST_F(Compress, EverySchemeLayoutAndCodebookIsOfThePlannedSize) {
  const SafetensorsFile model = network();
  for (const bool half : {false, true}) {
    for (const S scheme : {S::int8, S::int4, S::int3, S::int2}) {
      const CompressOptions options{.scheme = scheme, .half = half};
      expect_as_planned(model, plan_compression(model, options), options);
    }
    for (const BlockLayout layout : {BlockLayout::row, BlockLayout::input_channels}) {
      for (const CodebookType codebook : {CodebookType::float32, CodebookType::float16, CodebookType::int8}) {
        for (const std::int64_t block : {0, 3, 8}) {
          const CompressOptions options{.scheme = S::pq,
                                        .block_size = block,
                                        .centroids = 32,
                                        .layout = layout,
                                        .codebook = codebook,
                                        .max_iterations = 3,
                                        .half = half};
          expect_as_planned(model, plan_compression(model, options), options);
        }
      }
    }
  }
}

TEST_F(Compress, ErrorsAreThoseOfTheFormula) {
  // Uniform noise of one step has the variance step² / 12; of N(0, σ²) in a matrix of 512 columns the range
  // is about 6.2 σ, so that int8 has (6.2 / 255)² / 12 = 4.9e-5. Each bit less is about four times as much.
  const SafetensorsFile model = file({normal("w.weight", {64, 512})});
  double last = 0;
  for (const S scheme : {S::int8, S::int4, S::int3, S::int2}) {
    const CompressOptions options{.scheme = scheme, .range = RangeRule::min_max};
    const double error = compress(model, plan_compression(model, options), options).relative_mse.at(0);
    if (scheme == S::int8) {
      EXPECT_NEAR(error, 4.9e-5, 1.5e-5);
    }
    EXPECT_GT(error, 3 * last);
    last = error;
  }
}

TEST_F(Compress, EveryTensorThatIsLeftAloneHasAReason) {
  const std::vector<std::uint8_t>& zeros = buffers_.emplace_back(8000);
  const SafetensorsFile model =
      file({normal("a.weight", {64, 64}), normal("a.bias", {64}), normal("scale", {}),
            normal("table", {64, 64}), normal("tiny.weight", {2, 2}), normal("head.weight", {64, 64}),
            normal("six.weight", {2, 2, 2, 2, 2, 64}),
            floats("bad.weight", {2, 1000},
                   [] {
                     std::vector<float> values(2000, 1);
                     values[7] = NAN;
                     return values;
                   }()),
            TensorView{{"ids.weight", DType::int64, {10, 100}}, zeros},
            TensorView{{"double.weight", DType::float64, {10, 100}}, zeros}});
  const CompressOptions options{.scheme = S::int8};
  const CompressionPlan plan = plan_compression(model, options, {.exclude = "^head"});
  ASSERT_EQ(plan.recipe.weights.size(), 1u);
  EXPECT_EQ(plan.recipe.weights[0].name, "a.weight");
  std::map<std::string, std::pair<std::string, bool>> reasons;
  for (const LeftAlone& left : plan.left_alone) reasons[left.name] = {left.reason, left.expected};
  const auto expect = [&](const std::string& name, const std::string& piece, bool expected) {
    EXPECT_NE(reasons[name].first.find(piece), std::string::npos) << name << ": " << reasons[name].first;
    EXPECT_EQ(reasons[name].second, expected) << name;
  };
  EXPECT_EQ(reasons.size(), 9u);
  expect("a.bias", "one dimension", true);
  expect("scale", "single value", true);
  expect("table", "does not end in weight", false);
  expect("tiny.weight", "too small", false);
  expect("head.weight", "excluded", true);
  expect("six.weight", "6 dimensions", false);
  expect("bad.weight", "not finite", false);
  expect("ids.weight", "I64", true);
  expect("double.weight", "F64", false);
  expect_as_planned(model, plan, options);

  const CompressionPlan named = plan_compression(model, options, {.layers = "^(table|a\\.)", .exclude = {}});
  ASSERT_EQ(named.recipe.weights.size(), 2u);
  EXPECT_EQ(named.recipe.weights[1].name, "table");
}

TEST_F(Compress, TiedWeightsLieThereOnceAndEqualConstantsAreNotTied) {
  TensorView twin = normal("embed.weight", {64, 32});
  const TensorView first = twin;
  twin.name = "head.weight";
  const std::vector<float> zeros(2048);
  const SafetensorsFile model =
      file({first, twin, floats("z1.weight", {32, 64}, zeros), floats("z2.weight", {32, 64}, zeros)});
  const CompressOptions options{.scheme = S::int4};
  const CompressionPlan plan = plan_compression(model, options);
  EXPECT_EQ(plan.recipe.aliases,
            (std::map<std::string, std::string, std::less<>>{{"head.weight", "embed.weight"}}));
  EXPECT_EQ(plan.recipe.weights.size(), 3u);
  expect_as_planned(model, plan, options);
  write_decompressed(directory_ / "f", compress(model, plan, options).model);
  const SafetensorsFile out(directory_ / "f");
  EXPECT_EQ(float32_values(out.at("head.weight")), float32_values(out.at("embed.weight")));
  EXPECT_EQ(float32_values(out.at("z1.weight")), zeros);  // constants are met exactly
}

TEST_F(Compress, HalfScalesAndOthersOnlyWhereHalvesHoldThem) {
  std::vector<float> large(64, 70000.0f), tiny(64 * 64);
  RandomStream(1, "tiny").fill_normal(tiny, 0, 1e-7f);
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), floats("tiny.weight", {64, 64}, tiny),
                                      floats("large", {64}, large), normal("bias", {64})});
  const CompressOptions options{.scheme = S::int8, .half = true};
  const CompressionPlan plan = plan_compression(model, options);
  EXPECT_EQ(plan.recipe.weights.at(0).scale_dtype, DType::float16);
  EXPECT_EQ(plan.recipe.weights.at(1).scale_dtype, DType::float32);
  EXPECT_EQ(plan.recipe.others.at(0).stored_dtype, DType::float16);
  EXPECT_EQ(plan.recipe.others.at(1).stored_dtype, DType::float32);
  expect_as_planned(model, plan, options);
  // A scale up to 2^-10 too large costs about as much of the error.
  const auto errors = compress(model, plan, options).relative_mse;
  const CompressOptions full{.scheme = S::int8};
  const auto without = compress(model, plan_compression(model, full), full).relative_mse;
  EXPECT_NEAR(errors[0], without[0], 0.02 * without[0]);
  EXPECT_EQ(errors[1], without[1]);
}

TEST_F(Compress, ABudgetIsKeptAndMoreBytesAreLessError) {
  const SafetensorsFile model = network();
  double last = std::numeric_limits<double>::infinity();
  for (const std::int64_t budget : {6000, 7000, 9000, 14000}) {
    const CompressOptions options{.budget = budget, .max_iterations = 5};
    const CompressionPlan plan = plan_compression(model, options);
    const std::int64_t size = expect_as_planned(model, plan, options);
    EXPECT_LE(size, budget);
    const Compression done = compress(model, plan, options);
    const double error = std::get<double>(done.report.figures.back().second);
    EXPECT_LT(error, last);
    last = error;
  }
  // No uniform scheme in as many bytes is better.
  const CompressOptions uniform{.scheme = S::int4};
  const CompressionPlan plan = plan_compression(model, uniform);
  const CompressOptions options{.budget = planned_size(plan.recipe)};
  const auto error = [&](const CompressOptions& by) {
    return std::get<double>(compress(model, plan_compression(model, by), by).report.figures.back().second);
  };
  EXPECT_LT(error(options), error(uniform));
  expect_error(ErrorCode::invalid_argument, "budget: 3000 bytes; the least",
               [&] { plan_compression(model, {.budget = 3000, .max_iterations = 1}); });
}

TEST_F(Compress, CalibrationCountsTheErrorOfWhatIsUsed) {
  // Only the first quarter of the inputs is ever not 0: its blocks have the codebook for themselves.
  const SafetensorsFile model = file({normal("a.weight", {128, 64})});
  std::vector<float> moments(64);
  std::fill_n(moments.begin(), 16, 1.0f);
  const SafetensorsFile calibration = file({floats("a.input_second_moment", {64}, moments)}, "moments");
  const CompressOptions options{.scheme = S::pq, .block_size = 8, .centroids = 32};
  const auto error = [&](const SafetensorsFile* inputs) {
    const CompressionPlan plan = plan_compression(model, options, {}, inputs);
    const Compression done = compress(model, plan, options, inputs);
    const std::vector<float> values = float32_values(model.at("a.weight")),
                             decoded = decode(done.model.weights[0]);
    return relative_mse({.values = values, .shape = model.at("a.weight").shape, .importance = moments},
                        decoded);
  };
  EXPECT_LT(error(&calibration), 0.9 * error(nullptr));
  // The moments of inputs that have them.
  std::vector<float> inputs(3 * 64);
  for (int i = 0; i < 3 * 64; ++i) inputs[i] = i % 64 < 16 ? (i % 2 == 0 ? 1.0f : -1.0f) : 0.0f;
  const SafetensorsFile samples = file({floats("a.input", {3, 64}, inputs)}, "samples");
  EXPECT_EQ(error(&samples), error(&calibration));

  const auto refused = [&](const std::string& piece, std::vector<TensorView> tensors) {
    const SafetensorsFile wrong = file(tensors, "wrong");
    expect_error(ErrorCode::format, piece, [&] { plan_compression(model, options, {}, &wrong); });
  };
  refused("of 63 channels", {floats("a.input_second_moment", {63}, std::vector<float>(63, 1))});
  refused("second moment is -1", {floats("a.input_second_moment", {64}, std::vector<float>(64, -1))});
  refused("all second moments are 0", {floats("a.input_second_moment", {64}, std::vector<float>(64))});
  refused("no input or input_second_moment", {floats("b.input", {1, 64}, std::vector<float>(64, 1))});
}

TEST_F(Compress, TheBytesAreTheSameForAnyNumberOfThreads) {
  const SafetensorsFile model = network();
  const CompressOptions options{.budget = 9000, .max_iterations = 5};
  std::string first;
  for (const int threads : {1, 2, 3, 8}) {
    const Context context(threads);
    const CompressionPlan plan = plan_compression(model, options, {}, nullptr, context);
    write_compact_file(directory_ / "t", compress(model, plan, options, nullptr, context).model);
    const std::string bytes = TemporaryDirectory::content(directory_ / "t");
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first) << threads;
  }
}

TEST_F(Compress, WhatCannotBeIsRefused) {
  const SafetensorsFile model = network();
  const auto refused = [&](const std::string& piece, const CompressOptions& options,
                           const LayerFilter& filter = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { plan_compression(model, options, filter); });
  };
  refused("scheme: auto", {});
  refused("budget: scheme int8", {.scheme = S::int8, .budget = 100000});
  refused("block_size: 5000", {.scheme = S::pq, .block_size = 5000});
  refused("layers: '(' is not a regular expression", {.scheme = S::int8}, {.layers = "(", .exclude = {}});
  refused("exclude: '[' is not a regular expression", {.scheme = S::int8}, {.layers = {}, .exclude = "["});
  const CompressOptions options{.scheme = S::int8};
  write_compact_file(directory_ / "c", compress(model, plan_compression(model, options), options).model);
  expect_error(ErrorCode::format, "compact file already",
               [&] { plan_compression(SafetensorsFile(directory_ / "c"), options); });
}

}  // namespace
}  // namespace parsimony::quant
