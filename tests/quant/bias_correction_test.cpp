// Means of networks with batch norm: the moments after an activation, and outputs whose means are right
// again.
#include "quant/plan/bias_correction.hpp"

#include <gtest/gtest.h>

#include <numbers>

#include "parsimony/quant/compress.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant::bias_correction_test {
namespace {

double density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}
double below(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

TEST(ActivatedMoments, AreThoseOfTheClosedForms) {
  for (const double mean : {-3.0, -0.5, 0.0, 1.0, 5.0, 8.0}) {
    for (const double s : {0.25, 1.0, 2.5}) {
      const ChannelMoments channels{{mean}, {s * s}};
      const double a = -mean / s, b = (6 - mean) / s;
      EXPECT_NEAR(activated(channels, Activation::relu).mean[0], mean * below(-a) + s * density(a), 1e-4 * s);
      EXPECT_NEAR(activated(channels, Activation::relu6).mean[0],
                  mean * (below(b) - below(a)) + s * (density(a) - density(b)) + 6 * (1 - below(b)),
                  1e-4 * s);
      EXPECT_EQ(activated(channels, Activation::none).mean[0], mean);
      const double second = (mean * mean + s * s) * below(-a) + mean * s * density(a);  // E[relu(x)²]
      const ChannelMoments relu = activated(channels, Activation::relu);
      EXPECT_NEAR(relu.variance[0] + relu.mean[0] * relu.mean[0], second, 1e-4 * (second + s * s));
    }
  }
  // SiLU of a constant, and its odd part of a symmetric input: x σ(x) − x/2 is even, so E = E[x tanh(x/2)] /
  // 2 > 0.
  EXPECT_NEAR(activated({{2.0}, {0.0}}, Activation::silu).mean[0], 2 / (1 + std::exp(-2.0)), 1e-12);
  EXPECT_GT(activated({{0.0}, {1.0}}, Activation::silu).mean[0], 0.1);
}

class BiasCorrection : public ModelFiles {
 protected:
  void norm(std::vector<TensorView>& tensors, const std::string& name, std::int64_t channels) {
    tensors.push_back(normal(name + ".weight", {channels}, 1));
    tensors.push_back(normal(name + ".bias", {channels}, 1));
    tensors.push_back(normal(name + ".running_mean", {channels}, 1));
    tensors.push_back(
        floats(name + ".running_var", {channels}, std::vector<float>(static_cast<std::size_t>(channels), 1)));
  }
  // EfficientNet-Lite as timm names it: a stem, a block without expansion, two with it, a head and a
  // classifier.
  SafetensorsFile efficient_net() {
    std::vector<TensorView> tensors;
    const auto conv = [&](const std::string& name, std::vector<std::int64_t> shape,
                          const std::string& batch_norm) {
      norm(tensors, batch_norm, shape[0]);
      tensors.push_back(normal(name + ".weight", std::move(shape), 0.2f));
    };
    conv("conv_stem", {16, 3, 3, 3}, "bn1");
    conv("blocks.0.0.conv_dw", {16, 1, 3, 3}, "blocks.0.0.bn1");
    conv("blocks.0.0.conv_pw", {8, 16, 1, 1}, "blocks.0.0.bn2");
    for (const std::string block : {"blocks.1.0.", "blocks.1.1."}) {
      const std::int64_t in = block == "blocks.1.0." ? 8 : 12;
      conv(block + "conv_pw", {48, in, 1, 1}, block + "bn1");
      conv(block + "conv_dw", {48, 1, 3, 3}, block + "bn2");
      conv(block + "conv_pwl", {12, 48, 1, 1}, block + "bn3");
    }
    conv("conv_head", {64, 12, 1, 1}, "bn2");
    tensors.push_back(normal("classifier.weight", {10, 64}));
    tensors.push_back(normal("classifier.bias", {10}));
    return file(tensors);
  }
};

TEST_F(BiasCorrection, FindsTheLayersOfAnEfficientNetInTheirOrder) {
  const std::vector<NormedLayer> layers = normed_layers(efficient_net());
  std::vector<std::string> names;
  for (const NormedLayer& layer : layers) names.push_back(layer.weight);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "conv_stem.weight", "blocks.0.0.conv_dw.weight", "blocks.0.0.conv_pw.weight",
                       "blocks.1.0.conv_pw.weight", "blocks.1.0.conv_dw.weight", "blocks.1.0.conv_pwl.weight",
                       "blocks.1.1.conv_pw.weight", "blocks.1.1.conv_dw.weight", "blocks.1.1.conv_pwl.weight",
                       "conv_head.weight", "classifier.weight"}));
  EXPECT_EQ(layers[3].input, 2);
  EXPECT_EQ(layers[5].added, NormedLayer::kNothing);  // other channels than before
  EXPECT_EQ(layers[8].added, 5);                      // the second block of a stage has a skip connection
  EXPECT_EQ(layers[9].input, 8);
  EXPECT_EQ(layers[10].batch_norm, "");
}

// Inputs of the modelled moments through the float weight and its codes: with the new running mean the means
// after batch norm agree, where they were apart.
TEST_F(BiasCorrection, MeansAfterBatchNormAreThoseOfTheFloats) {
  const SafetensorsFile model = efficient_net();
  for (const bool corrected : {false, true}) {
    const CompressOptions options{.scheme = "int2", .bias_correction = corrected};
    const CompressionPlan plan = plan_compression(model, options);
    const QuantizedModel made = quantize_model(model, plan);
    write_compact_file(directory_ / "c", made.model);
    EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c")),
              planned_size(plan.recipe));
    dequantize(directory_ / "c", directory_ / "f");
    const SafetensorsFile after(directory_ / "f");
    const auto values = [&](const SafetensorsFile& file, const std::string& name) {
      return float32_values(file.at(name));
    };
    // conv_pw of the second block reads the linear output of the first, whose means are the biases of its
    // batch norm.
    const std::vector<float> means = values(model, "blocks.0.0.bn2.bias");
    const auto mean_after_norm = [&](const SafetensorsFile& file, std::int64_t output) {
      const std::vector<float> weight = values(file, "blocks.1.0.conv_pw.weight");
      double mean = 0;
      for (std::size_t c = 0; c < means.size(); ++c)
        mean += weight[output * means.size() + c] * double{means[c]};
      return mean - values(file, "blocks.1.0.bn1.running_mean")[static_cast<std::size_t>(output)];
    };
    double apart = 0;
    for (std::int64_t o = 0; o < 48; ++o)
      apart += std::abs(mean_after_norm(model, o) - mean_after_norm(after, o));
    if (corrected) {
      EXPECT_LT(apart / 48, 1e-6);
      EXPECT_EQ(made.report.figure<std::int64_t>("corrected_layers"),
                10);  // all but the stem, which reads pictures
      EXPECT_NE(values(after, "classifier.bias"), values(model, "classifier.bias"));
    } else {
      EXPECT_GT(apart / 48, 1e-3);
      EXPECT_EQ(values(after, "classifier.bias"), values(model, "classifier.bias"));
    }
    EXPECT_EQ(values(after, "bn1.running_mean"), values(model, "bn1.running_mean"));
  }
}

TEST_F(BiasCorrection, WarningsNameTheWayOut) {
  const auto warnings = [&](const SafetensorsFile& model, CompressOptions options) {
    std::string text;
    Context context(1);
    context.on_log = [&](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) text += line;
    };
    compress(ModelTensors(model), directory_ / "c", options, context);
    return text;
  };
  const SafetensorsFile model = efficient_net();
  EXPECT_NE(warnings(model, {.scheme = "int4"}).find("option bias_correction puts them right"),
            std::string::npos);
  EXPECT_EQ(warnings(model, {.scheme = "int5"}), "");
  EXPECT_EQ(warnings(model, {.scheme = "int4", .bias_correction = true}), "");
  const SafetensorsFile linear = file({normal("a.weight", {128, 128})}, "linear");
  EXPECT_EQ(warnings(linear, {.scheme = "int4"}), "");
  EXPECT_NE(warnings(linear, {.scheme = "int4", .bias_correction = true}).find("found no batch norm"),
            std::string::npos);
  const std::string lost =
      warnings(linear, {.scheme = "pq", .block_size = 8, .centroids = 16, .max_iterations = 3});
  EXPECT_NE(lost.find("more than a third of 1 of 1 weight"), std::string::npos) << lost;
  EXPECT_NE(lost.find("'a.weight'"), std::string::npos) << lost;
}

}  // namespace
}  // namespace parsimony::quant::bias_correction_test
