// Schemes by role and name, presets, and the dimension of the outputs.
#include "quant/plan/layer_scheme.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/model_files.hpp"
#include "quant/plan/axes.hpp"

namespace parsimony::quant::layer_scheme_test {
namespace {

TEST(ParseScheme, WordsHaveTheirMeaning) {
  using Kind = LayerScheme::Kind;
  EXPECT_EQ(parse_scheme("auto").kind, Kind::automatic);
  EXPECT_EQ(parse_scheme("float").kind, Kind::floats);
  EXPECT_EQ(parse_scheme("int5").bits, 5);
  EXPECT_EQ(parse_scheme("int4g128").group, 128);
  EXPECT_EQ(parse_scheme("levels3g32").bits, 3);
  EXPECT_EQ(parse_scheme("levels3g32").group, 32);
  EXPECT_EQ(parse_scheme("nf4").kind, Kind::nf4);
  EXPECT_EQ(parse_scheme("pq").block_size, 0);
  EXPECT_EQ(parse_scheme("pq8x1024").block_size, 8);
  EXPECT_EQ(parse_scheme("pq8x1024").centroids, 1024);
  EXPECT_EQ(parse_scheme("pqx16").centroids, 16);
  for (const char* word : {"", "int", "int1", "int9", "int4g", "int4g0", "levels5", "levels1", "nf3", "pq0",
                           "pq5000", "pqx", "pq8g64", "autos", "float32", "int4 ", "g64", "pq8x70000"}) {
    expect_error(ErrorCode::invalid_argument, "scheme: '" + std::string(word) + "'; must be auto, int2",
                 [&] { parse_scheme(word); });
  }
}

TEST(Roles, AreFoundByNamesAndShapes) {
  const auto role = [](const char* name, std::vector<std::int64_t> shape) {
    return role_of({name, DType::float32, std::move(shape)});
  };
  // transformers: BERT, RoBERTa, GPT-2, LLaMA
  EXPECT_EQ(role("bert.embeddings.word_embeddings.weight", {30522, 768}), Role::embedding);
  EXPECT_EQ(role("embeddings.position_embeddings.weight", {512, 384}), Role::position);
  EXPECT_EQ(role("embeddings.token_type_embeddings.weight", {2, 384}), Role::token_type);
  EXPECT_EQ(role("encoder.layer.0.attention.self.query.weight", {384, 384}), Role::attention);
  EXPECT_EQ(role("encoder.layer.0.attention.output.dense.weight", {384, 384}), Role::attention);
  EXPECT_EQ(role("encoder.layer.0.intermediate.dense.weight", {1536, 384}), Role::ffn);
  EXPECT_EQ(role("encoder.layer.0.output.dense.weight", {384, 1536}), Role::ffn);
  EXPECT_EQ(role("classifier.out_proj.weight", {3, 768}), Role::classifier);
  EXPECT_EQ(role("lm_head.decoder.weight", {50265, 768}), Role::embedding);
  EXPECT_EQ(role("transformer.wpe.weight", {1024, 768}), Role::position);
  EXPECT_EQ(role("wte.weight", {50257, 768}), Role::embedding);
  EXPECT_EQ(role("h.0.attn.c_proj.weight", {768, 768}), Role::attention);
  EXPECT_EQ(role("h.0.mlp.c_proj.weight", {768, 3072}), Role::ffn);
  EXPECT_EQ(role("model.layers.0.mlp.gate_proj.weight", {11008, 4096}), Role::ffn);
  EXPECT_EQ(role("model.layers.0.self_attn.o_proj.weight", {4096, 4096}), Role::attention);
  // fairseq
  EXPECT_EQ(role("decoder.layers.3.fc1.weight", {4096, 1024}), Role::ffn);
  EXPECT_EQ(role("decoder.embed_tokens.embeddings.0.0.weight", {20000, 1024}), Role::embedding);
  // timm and torchvision
  EXPECT_EQ(role("conv_stem.weight", {32, 3, 3, 3}), Role::stem);
  EXPECT_EQ(role("conv1.weight", {64, 3, 7, 7}), Role::stem);
  EXPECT_EQ(role("blocks.1.0.conv_dw.weight", {96, 1, 5, 5}), Role::depthwise);
  EXPECT_EQ(role("blocks.1.0.conv_pw.weight", {96, 16, 1, 1}), Role::pointwise);
  EXPECT_EQ(role("layer1.0.conv2.weight", {64, 64, 3, 3}), Role::convolution);
  EXPECT_EQ(role("layer1.0.conv2.weight", {128, 4, 3, 3}), Role::convolution);  // in groups, of ResNeXt
  EXPECT_EQ(role("fc.weight", {1000, 512}), Role::classifier);
  EXPECT_EQ(role("lstm.weight_ih_l0", {1024, 256}), Role::recurrent);
  EXPECT_EQ(role("projection.weight", {100, 50}), Role::linear);
}

class Schemes : public ModelFiles {
 protected:
  SafetensorsFile bert() {
    return file({normal("embeddings.word_embeddings.weight", {900, 64}),
                 normal("embeddings.token_type_embeddings.weight", {2, 64}),
                 normal("encoder.layer.0.attention.self.query.weight", {64, 64}),
                 normal("encoder.layer.0.intermediate.dense.weight", {256, 64}),
                 normal("encoder.layer.0.output.dense.weight", {64, 256}),
                 normal("classifier.weight", {3, 64}),
                 normal("encoder.layer.0.output.LayerNorm.weight", {64})});
  }
  SafetensorsFile convolutions() {
    return file({normal("conv_stem.weight", {32, 3, 3, 3}), normal("blocks.0.conv_dw.weight", {96, 1, 3, 3}),
                 normal("blocks.0.conv_pw.weight", {96, 64, 1, 1}), normal("classifier.weight", {300, 96}),
                 normal("blocks.0.bn.weight", {96})});
  }
  static std::map<std::string, WeightRecipe> planned(const ModelTensors& model,
                                                     const CompressOptions& options) {
    std::map<std::string, WeightRecipe> out;
    for (const WeightRecipe& weight : plan_compression(model, options).recipe.weights) {
      out[weight.name] = weight;
    }
    return out;
  }
};

TEST_F(Schemes, TheFirstRuleThatSelectsALayerCounts) {
  const SafetensorsFile model = bert();
  auto plan =
      planned(model, {.scheme = "ffn=pq8x64,attention=pq4x64,word_emb=levels4g32,token-type=float,*=int6"});
  const std::string layer = "encoder.layer.0.";
  EXPECT_EQ(plan.at(layer + "intermediate.dense.weight").block_size, 8);
  EXPECT_EQ(plan.at(layer + "output.dense.weight").block_size, 8);
  EXPECT_EQ(plan.at(layer + "attention.self.query.weight").block_size, 4);
  EXPECT_EQ(plan.at("embeddings.word_embeddings.weight").group, 32);
  EXPECT_EQ(plan.at("embeddings.word_embeddings.weight").levels, LevelKind::learned);
  EXPECT_EQ(plan.at("classifier.weight").bits, 6);
  EXPECT_FALSE(plan.contains("embeddings.token_type_embeddings.weight"));
  // One run of the command, planned to the byte.
  const CompressOptions options{.scheme = "ffn=pq8x64,attention|embedding=nf4,*=int4g32", .half = true};
  const Compression made = compress(model, directory_ / "small", options);
  EXPECT_EQ(made.bytes, static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "small")));
}

TEST_F(Schemes, ARoleOrNameThatSelectsNothingIsRefusedWithTheRolesOfTheModel) {
  const SafetensorsFile model = bert();
  const char* roles = "the roles of this model are embedding, token-type, attention, ffn, classifier";
  expect_error(ErrorCode::invalid_argument, "scheme: 'depthwise' selects no layer; ",
               [&] { planned(model, {.scheme = "depthwise=int4"}); });
  expect_error(ErrorCode::invalid_argument, roles, [&] { planned(model, {.scheme = "depthwise=int4"}); });
  expect_error(ErrorCode::invalid_argument, roles, [&] { planned(model, {.scheme = "fnn=int4,*=int8"}); });
  // A role that other models have may stand beside rules that select layers.
  EXPECT_EQ(planned(model, {.scheme = "depthwise|attention=int4,stem=int2,*=int8"}).size(),
            planned(model, {.scheme = "attention=int4,*=int8"}).size());
  expect_error(ErrorCode::invalid_argument, "selects nothing", [&] { planned(model, {.scheme = "=int4"}); });
  expect_error(ErrorCode::invalid_argument, "is not a regular expression",
               [&] { planned(model, {.scheme = "(=int4"}); });
}

TEST_F(Schemes, ProductsForAllLeaveOutTheLayersThatTheyRuin) {
  auto plan = planned(convolutions(), {.scheme = "pq"});
  EXPECT_EQ(plan.at("conv_stem.weight").scheme, Scheme::integer);
  EXPECT_EQ(plan.at("blocks.0.conv_dw.weight").scheme, Scheme::integer);
  EXPECT_EQ(plan.at("blocks.0.conv_pw.weight").scheme, Scheme::product);
  EXPECT_EQ(plan.at("classifier.weight").scheme, Scheme::product);  // it has 300 classes
  plan = planned(convolutions(), {.scheme = "depthwise=pqx16,*=pq"});
  EXPECT_EQ(plan.at("blocks.0.conv_dw.weight").scheme, Scheme::product);
  plan = planned(bert(), {.scheme = "pq", .centroids = 16});
  EXPECT_EQ(plan.at("classifier.weight").scheme, Scheme::integer);
}

TEST_F(Schemes, PresetsSayHowEachRoleIsStored) {
  auto paper = planned(bert(), {.preset = Preset::paper, .centroids = 64});
  const std::string layer = "encoder.layer.0.";
  EXPECT_EQ(paper.at(layer + "intermediate.dense.weight").block_size, 8);
  EXPECT_EQ(paper.at(layer + "attention.self.query.weight").block_size, 4);
  EXPECT_EQ(paper.at("embeddings.word_embeddings.weight").block_size, 8);
  EXPECT_EQ(paper.at("classifier.weight").scheme, Scheme::integer);
  const CompressionPlan plan = plan_compression(convolutions(), {.preset = Preset::small});
  EXPECT_TRUE(plan.options.half);
  EXPECT_EQ(plan.options.codebook, CodebookType::int8);
  auto mixed = planned(bert(), {.scheme = "ffn=int3", .preset = Preset::accurate});
  EXPECT_EQ(mixed.at(layer + "intermediate.dense.weight").bits, 3);
  EXPECT_EQ(mixed.at(layer + "attention.self.query.weight").levels, LevelKind::learned);
}

TEST_F(Schemes, ABudgetChoosesOnlyWhatIsLeftOpen) {
  auto plan = planned(bert(), {.scheme = "ffn=int4g32,*=auto", .budget = 60000});
  EXPECT_EQ(plan.at("encoder.layer.0.output.dense.weight").group, 32);
  expect_error(ErrorCode::invalid_argument, "leaves a budget nothing to choose",
               [&] { planned(bert(), {.scheme = "ffn=int4,*=int8", .budget = 60000}); });
}

// The same values with the outputs at another place have the same codes there.
class Axes : public Schemes {
 protected:
  // outputs × inputs, each output of its own size
  std::vector<float> rows(std::int64_t outputs, std::int64_t inputs) {
    std::vector<float> values(static_cast<std::size_t>(outputs * inputs));
    RandomStream(3, "axes").fill_normal(values);
    for (std::int64_t i = 0; i < std::ssize(values); ++i) {
      values[i] *= std::exp(0.7f * std::sin(static_cast<float>(i / inputs * 37 % 101)));
    }
    return values;
  }
  void expect_same(const std::string& name, const std::vector<std::int64_t>& shape, const WeightAxes& axes,
                   std::int64_t outputs, CompressOptions options = {.scheme = "int4"}) {
    SCOPED_TRACE(name);
    std::int64_t size = 1;
    for (const std::int64_t side : shape) size *= side;
    const std::vector<float> coded = rows(outputs, size / outputs);
    const Compression plain = compress(file({floats("a.weight", {outputs, size / outputs}, coded)}, "plain"),
                                       directory_ / "p", {.scheme = options.scheme});
    const std::vector<float> moved = from_coded_order(coded, shape, axes);
    const Compression made = compress(file({floats(name, shape, moved)}, "moved"), directory_ / "m", options);
    ASSERT_EQ(made.recipe.weights.size(), 1u);
    EXPECT_EQ(made.recipe.weights[0].axes, axes);
    EXPECT_EQ(made.relative_mse[0], plain.relative_mse[0]);
    const CompactModel read = read_compact_file(directory_ / "m");
    const std::vector<float> found = decode(read.weights[0]),
                             expected = decode(read_compact_file(directory_ / "p").weights[0]);
    EXPECT_EQ(to_coded_order(found, shape, axes), expected);
  }
};

TEST_F(Axes, AreFoundForStackedExpertsConv1DKernelsAndTransposedConvolutions) {
  expect_same("moe.experts.weight", {4, 96, 64}, {{0, 1}, {2}}, 4 * 96);
  expect_same("block.experts.down.weight", {4, 64, 96}, {{0, 2}, {1}}, 4 * 96);
  expect_same("h.0.attn.c_attn.weight", {64, 192}, {{1}, {0}}, 192);
  expect_same("h.0.attn.c_attn.weight", {64, 192}, {{1}, {0}}, 192, {.scheme = "int4g32"});
  expect_same("h.0.mlp.c_fc.weight", {64, 256}, {{1}, {0}}, 256, {.scheme = "levels4"});
  expect_same("conv/kernel", {3, 3, 16, 32}, {{3}, {2, 0, 1}}, 32, {.scheme = "int4", .layers = "kernel"});
  expect_same("conv.weight", {3, 3, 16, 32}, {{3}, {2, 0, 1}}, 32);
  expect_same("any.weight", {16, 32, 2, 2}, {{1}, {0, 2, 3}}, 32, {.scheme = "int4", .axis = "any=1"});
  expect_same("any.weight", {16, 4, 8}, {{2, 0}, {1}}, 128, {.scheme = "int4", .axis = "2+0"});
}

TEST_F(Axes, ABiasTellsWhereTheOutputsAre) {
  const auto axes = [&](std::vector<std::int64_t> shape, std::int64_t bias) {
    const SafetensorsFile model = file({normal("up.weight", shape), normal("up.bias", {bias})});
    return AxisRules({}, model).axes_of(model.at("up.weight"));
  };
  EXPECT_EQ(axes({16, 32, 2, 2}, 32), (WeightAxes{{1}, {0, 2, 3}}));
  EXPECT_EQ(axes({16, 32, 2, 2}, 16), WeightAxes());
  EXPECT_EQ(axes({16, 32}, 32), (WeightAxes{{1}, {0}}));
  EXPECT_EQ(axes({32, 32}, 32), WeightAxes());
}

TEST_F(Axes, LinearLayersWithNamesOfGpt2StayAsTheyAre) {
  const SafetensorsFile linear =
      file({normal("h.0.attn.c_attn.weight", {192, 64}), normal("h.0.attn.c_proj.weight", {64, 64})});
  EXPECT_TRUE(AxisRules({}, linear).axes_of(linear.at("h.0.attn.c_proj.weight")).standard());
  const SafetensorsFile conv1d =
      file({normal("h.0.attn.c_attn.weight", {64, 192}), normal("h.0.attn.c_proj.weight", {64, 64})}, "b");
  EXPECT_EQ(AxisRules({}, conv1d).axes_of(conv1d.at("h.0.attn.c_proj.weight")), (WeightAxes{{1}, {0}}));
}

TEST_F(Axes, OfOtherForms) {
  const SafetensorsFile model = bert();
  for (const char* axis : {"x", "5", "0+", "+1", "1+", "01", "0+0", "1+2", "0+1", "c=", "-1"}) {
    expect_error(ErrorCode::invalid_argument, "ax",
                 [&] { planned(model, {.scheme = "int8", .axis = axis}); });
  }
  EXPECT_EQ(planned(model, {.scheme = "int8", .axis = "dense=1,*=auto"})
                .at("encoder.layer.0.output.dense.weight")
                .axes,
            (WeightAxes{{1}, {0}}));
}

// A calibration of inputs fits the inputs of a Conv1D, which come first.
TEST_F(Axes, CalibrationOfAConv1DFollowsTheInputs) {
  std::vector<float> moments(64);
  for (int i = 0; i < 64; ++i) moments[i] = static_cast<float>(i + 1);
  CompressOptions options{.scheme = "levels3"};
  options.calibration = file({floats("h.c_attn.input_second_moment", {64}, moments)}, "calibration");
  const SafetensorsFile model = file({normal("h.c_attn.weight", {64, 192})});
  const CompressionPlan plan = plan_compression(model, options);
  EXPECT_EQ(plan.importance.at(0).size(), 64u);
  EXPECT_GT(compress(model, directory_ / "c", options).bytes, 0);
}

}  // namespace
}  // namespace parsimony::quant::layer_scheme_test
