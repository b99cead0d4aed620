#include "parsimony/quant/compress.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/model_files.hpp"
#include "thread_counts.hpp"

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
  // The file is as large as planned, and its model has the tensors of the one before.
  std::int64_t expect_as_planned(const SafetensorsFile& model, const CompressionPlan& plan) {
    write_compact_file(directory_ / "c", quantize_model(model, plan).model);
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c"));
    EXPECT_EQ(size, planned_size(plan.recipe));
    dequantize(directory_ / "c", directory_ / "f");
    const SafetensorsFile floats(directory_ / "f");
    EXPECT_EQ(floats.tensors().size(), model.tensors().size());
    for (const TensorView& tensor : model.tensors()) {
      EXPECT_EQ(floats.at(tensor.name).shape, tensor.shape);
      EXPECT_EQ(floats.at(tensor.name).dtype, tensor.dtype);
    }
    return size;
  }
};

TEST_F(Compress, EverySchemeLayoutAndCodebookIsOfThePlannedSize) {
  const SafetensorsFile model = network();
  for (const bool half : {false, true}) {
    for (const std::string& scheme : std::vector<std::string>{"int8", "int7", "int6", "int5", "int4", "int3",
                                                              "int2", "nf4", "levels3g16", "int4g32"}) {
      expect_as_planned(model, plan_compression(model, {.scheme = scheme, .half = half}));
    }
    for (const BlockLayout layout : {BlockLayout::row, BlockLayout::input_channels}) {
      for (const CodebookType codebook : {CodebookType::float32, CodebookType::float16, CodebookType::int8}) {
        for (const std::int64_t block : {0, 3, 8}) {
          const CompressOptions options{.scheme = "pq",
                                        .block_size = block,
                                        .centroids = 32,
                                        .layout = layout,
                                        .codebook = codebook,
                                        .max_iterations = 3,
                                        .half = half};
          expect_as_planned(model, plan_compression(model, options));
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
  for (const std::string& scheme :
       std::vector<std::string>{"int8", "int7", "int6", "int5", "int4", "int3", "int2"}) {
    const CompressOptions options{.scheme = scheme, .range = RangeRule::min_max};
    const double error = quantize_model(model, plan_compression(model, options)).relative_mse.at(0);
    if (scheme == "int8") {
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
  const CompressionPlan plan = plan_compression(model, {.scheme = "int8", .exclude = "^head"});
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
  expect("table", "is not that of a weight; option layers", false);
  expect("tiny.weight", "too small", false);
  expect("head.weight", "excluded", true);
  expect("six.weight", "6 dimensions", false);
  expect("bad.weight", "not finite", false);
  expect("ids.weight", "I64", true);
  expect("double.weight", "F64", false);
  expect_as_planned(model, plan);

  const CompressionPlan named = plan_compression(model, {.scheme = "int8", .layers = "^(table|a\\.)"});
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
  const CompressOptions options{.scheme = "int4"};
  const CompressionPlan plan = plan_compression(model, options);
  EXPECT_EQ(plan.recipe.aliases,
            (std::map<std::string, std::string, std::less<>>{{"head.weight", "embed.weight"}}));
  EXPECT_EQ(plan.recipe.weights.size(), 3u);
  expect_as_planned(model, plan);
  write_dequantized(directory_ / "f", quantize_model(model, plan).model);
  const SafetensorsFile out(directory_ / "f");
  EXPECT_EQ(float32_values(out.at("head.weight")), float32_values(out.at("embed.weight")));
  EXPECT_EQ(float32_values(out.at("z1.weight")), zeros);  // constants are met exactly
}

TEST_F(Compress, HalfScalesAndOthersOnlyWhereHalvesHoldThem) {
  std::vector<float> large(64, 70000.0f), tiny(64 * 64);
  RandomStream(1, "tiny").fill_normal(tiny, 0, 1e-7f);
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), floats("tiny.weight", {64, 64}, tiny),
                                      floats("large", {64}, large), normal("bias", {64})});
  const CompressOptions options{.scheme = "int8", .half = true};
  const CompressionPlan plan = plan_compression(model, options);
  EXPECT_EQ(plan.recipe.weights.at(0).scale_dtype, DType::float16);
  EXPECT_EQ(plan.recipe.weights.at(1).scale_dtype, DType::float32);
  EXPECT_EQ(plan.recipe.others.at(0).stored_dtype, DType::float16);
  EXPECT_EQ(plan.recipe.others.at(1).stored_dtype, DType::float32);
  expect_as_planned(model, plan);
  // A scale up to 2^-10 too large costs about as much of the error.
  const auto errors = quantize_model(model, plan).relative_mse;
  const CompressOptions full{.scheme = "int8"};
  const auto without = quantize_model(model, plan_compression(model, full)).relative_mse;
  EXPECT_NEAR(errors[0], without[0], 0.02 * without[0]);
  EXPECT_EQ(errors[1], without[1]);
}

TEST_F(Compress, ABudgetIsKeptAndMoreBytesAreLessError) {
  const SafetensorsFile model = network();
  double last = std::numeric_limits<double>::infinity();
  for (const std::int64_t budget : {6000, 7000, 9000, 14000}) {
    const CompressOptions options{.budget = budget, .max_iterations = 5};
    const CompressionPlan plan = plan_compression(model, options);
    const std::int64_t size = expect_as_planned(model, plan);
    EXPECT_LE(size, budget);
    const double error = quantize_model(model, plan).report.figure<double>("budget_error");
    EXPECT_LT(error, last);
    last = error;
  }
  // No uniform scheme in as many bytes is better.
  const CompressOptions uniform{.scheme = "int4"};
  const CompressionPlan plan = plan_compression(model, uniform);
  const CompressOptions options{.budget = planned_size(plan.recipe)};
  const auto error = [&](const CompressOptions& by) {
    return quantize_model(model, plan_compression(model, by)).report.figure<double>("budget_error");
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
  CompressOptions options{.scheme = "pq", .block_size = 8, .centroids = 32};
  const auto error = [&](const std::optional<SafetensorsFile>& inputs) {
    options.calibration = inputs;
    const QuantizedModel done = quantize_model(model, plan_compression(model, options));
    const std::vector<float> values = float32_values(model.at("a.weight")),
                             decoded = decode(done.model.weights[0]);
    return relative_mse({.values = values, .shape = model.at("a.weight").shape, .importance = moments},
                        decoded);
  };
  EXPECT_LT(error(calibration), 0.9 * error(std::nullopt));
  // The moments of inputs that have them.
  std::vector<float> inputs(3 * 64);
  for (int i = 0; i < 3 * 64; ++i) inputs[i] = i % 64 < 16 ? (i % 2 == 0 ? 1.0f : -1.0f) : 0.0f;
  const SafetensorsFile samples = file({floats("a.input", {3, 64}, inputs)}, "samples");
  EXPECT_EQ(error(samples), error(calibration));

  const auto refused = [&](const std::string& piece, std::vector<TensorView> tensors) {
    options.calibration = file(tensors, "wrong");
    expect_error(ErrorCode::format, piece, [&] { plan_compression(model, options); });
  };
  refused("63 channels", {floats("a.input_second_moment", {63}, std::vector<float>(63, 1))});
  refused("second moment is -1", {floats("a.input_second_moment", {64}, std::vector<float>(64, -1))});
  refused("no input or input_second_moment", {floats("b.input", {1, 64}, std::vector<float>(64, 1))});
}

TEST_F(Compress, TheBytesAreTheSameForAnyNumberOfThreads) {
  const SafetensorsFile model = network();
  const CompressOptions options{.budget = 9000, .max_iterations = 5};
  const auto compressed = [&](int threads) {
    compress(model, directory_ / "t", options, Context(threads));
    return TemporaryDirectory::content(directory_ / "t");
  };
  const std::string one = compressed(1);
  for (const int threads : parsimony::testing::kThreadCounts) {
    EXPECT_EQ(compressed(threads), one) << threads;
  }
}

TEST_F(Compress, AutoWithoutABudgetIsInt8) {
  const SafetensorsFile model = network();
  compress(model, directory_ / "auto");
  compress(model, directory_ / "int8", {.scheme = "int8"});
  EXPECT_EQ(TemporaryDirectory::content(directory_ / "auto"),
            TemporaryDirectory::content(directory_ / "int8"));
}

TEST_F(Compress, TensorsInMemoryMakeTheSameFile) {
  const SafetensorsFile model = network();
  std::vector<TensorView> views(model.tensors().rbegin(), model.tensors().rend());  // in any order
  const CompressOptions options{.scheme = "pq", .max_iterations = 3};
  const Compression of_file = compress(directory_ / "m.safetensors", directory_ / "a", options);
  const Compression of_memory = compress(
      ModelTensors(views, {model.metadata().begin(), model.metadata().end()}), directory_ / "b", options);
  EXPECT_EQ(TemporaryDirectory::content(directory_ / "a"), TemporaryDirectory::content(directory_ / "b"));
  EXPECT_EQ(of_file.relative_mse, of_memory.relative_mse);
  EXPECT_EQ(of_file.model_bytes, of_memory.model_bytes);
  EXPECT_EQ(of_file.bytes, static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "a")));

  views.push_back(views.front());
  expect_error(ErrorCode::invalid_argument, "there twice", [&] { ModelTensors{views}; });
  views.pop_back();
  views.front().data = views.front().data.first(1);
  expect_error(ErrorCode::invalid_argument, "there are 1", [&] { ModelTensors{views}; });
}

TEST_F(Compress, ShardsMakeTheFileOfTheWholeModel) {
  const std::vector<TensorView> tensors{normal("a.weight", {64, 96}), normal("b.weight", {64, 64}),
                                        normal("b.bias", {64})};
  file(tensors, "whole.safetensors");
  file({tensors[0]}, "m-00001-of-00002.safetensors");
  file({tensors[1], tensors[2]}, "m-00002-of-00002.safetensors");
  const auto index = directory_.file(
      "m.safetensors.index.json",
      R"({"weight_map":{"a.weight":"m-00001-of-00002.safetensors",)"
      R"("b.weight":"m-00002-of-00002.safetensors","b.bias":"m-00002-of-00002.safetensors"}})");
  const CompressOptions options{.budget = 7000, .max_iterations = 2};
  compress(directory_ / "whole.safetensors", directory_ / "a", options);
  const Compression of_shards = compress(index, directory_ / "b", options);
  EXPECT_EQ(TemporaryDirectory::content(directory_ / "a"), TemporaryDirectory::content(directory_ / "b"));
  EXPECT_LE(of_shards.bytes, 7000);

  const std::filesystem::path shard = directory_ / "m-00002-of-00002.safetensors";
  const std::string before = TemporaryDirectory::content(shard);
  expect_error(ErrorCode::invalid_argument, "would overwrite", [&] { compress(index, shard, options); });
  EXPECT_EQ(TemporaryDirectory::content(shard), before);

  std::string warnings;
  Context context(1);
  context.on_log = [&](LogLevel, std::string_view text) { warnings += text; };
  compress(shard, directory_ / "c", {.scheme = "int8"}, context);
  EXPECT_NE(warnings.find("one of 2 shards of a model; its index, m.safetensors.index.json"),
            std::string::npos)
      << warnings;
}

TEST_F(Compress, ADryRunSaysTheSizeAndWritesNothing) {
  const SafetensorsFile model = network();
  CompressOptions options{.scheme = "int3", .dry_run = true};
  const Compression planned = compress(model, directory_ / "c", options);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "c"));
  EXPECT_EQ(compress(model, "", options).bytes, planned.bytes);
  EXPECT_TRUE(planned.relative_mse.empty());
  options.dry_run = false;
  EXPECT_EQ(compress(model, directory_ / "c", options).bytes, planned.bytes);
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c")), planned.bytes);
  for (const char* output : {"", "c.gz", "c.zst"}) {
    expect_error(ErrorCode::invalid_argument, "output: ", [&] { compress(model, output, options); });
  }
}

TEST_F(Compress, StrictFailsBeforeAnythingIsMeasured) {
  const SafetensorsFile model = file({normal("a.weight", {64, 64}), normal("table", {64, 64})});
  CompressOptions options{.budget = 20000, .strict = true};
  int measured = 0;
  Context context(1);
  context.on_progress = [&](std::string_view, std::int64_t, std::int64_t) { ++measured; };
  expect_error(ErrorCode::unsupported, "strict: 1 tensor would be left alone, 'table' first",
               [&] { compress(model, directory_ / "c", options, context); });
  EXPECT_EQ(measured, 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "c"));
  options.exclude = "table";
  EXPECT_GT(compress(model, directory_ / "c", options).bytes, 0);
}

TEST_F(Compress, WhatCannotBeIsRefused) {
  const SafetensorsFile model = network();
  const auto refused = [&](const std::string& piece, const CompressOptions& options) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { plan_compression(model, options); });
  };
  refused("scheme: int8", {.scheme = "int8", .budget = 100000});
  refused("budget: -1", {.budget = -1});
  refused("block_size: 5000", {.scheme = "pq", .block_size = 5000});
  refused("block_size: only with scheme pq", {.scheme = "int8", .block_size = 8});
  refused("centroids: only with scheme pq", {.centroids = 16});
  refused("layout: not with option budget", {.budget = 100000, .layout = BlockLayout::input_channels});
  refused("layers: '(' is not", {.scheme = "int8", .layers = "("});
  refused("exclude: '[' is not", {.scheme = "int8", .exclude = "["});
  compress(model, directory_ / "c", {.scheme = "int8"});
  expect_error(ErrorCode::format, "compact file already",
               [&] { plan_compression(SafetensorsFile(directory_ / "c")); });
  CompressionPlan plan = plan_compression(model);
  plan.importance.pop_back();
  expect_error(ErrorCode::invalid_argument, "plan: ", [&] { quantize_model(model, plan); });
}

}  // namespace
}  // namespace parsimony::quant
