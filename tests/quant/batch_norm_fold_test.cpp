// Folded batch norms: the same function in fewer tensors.
#include "quant/plan/batch_norm_fold.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant::batch_norm_fold_test {
namespace {

double output(double x, double weight, double bias, double mean, double variance, double epsilon) {
  return weight * (x - mean) / std::sqrt(variance + epsilon) + bias;
}

class FoldedBatchNorms : public ModelFiles {
 protected:
  // Means far from 0, variances from 1e-6 to 1, and weights of both signs.
  std::vector<TensorView> network(std::int64_t channels = 24) {
    std::vector<float> variances;
    for (std::int64_t c = 0; c < channels; ++c) {
      variances.push_back(std::pow(10.0f, -static_cast<float>(c) / static_cast<float>(channels) * 6));
    }
    return {normal("conv.weight", {channels, 8, 3, 3}), normal("bn.weight", {channels}, 1),
            normal("bn.bias", {channels}, 2), normal("bn.running_mean", {channels}, 3),
            floats("bn.running_var", {channels}, variances)};
  }
  // The model that a reader of the compact file has.
  SafetensorsFile through_a_file(const std::vector<TensorView>& tensors, const CompressOptions& options) {
    const SafetensorsFile model = file(tensors);
    const Compression made = compress(ModelTensors(model), directory_ / "c", options);
    EXPECT_EQ(made.bytes, static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c")));
    dequantize(directory_ / "c", directory_ / "f");
    return SafetensorsFile(directory_ / "f");
  }
  static std::vector<float> values(const SafetensorsFile& file, const std::string& part) {
    return float32_values(file.at("bn." + part));
  }
  // Largest difference of the outputs at m − 3 to m + 3 deviations, in deviations of the output.
  static double difference(const SafetensorsFile& before, const SafetensorsFile& after, double epsilon) {
    const auto part = [](const SafetensorsFile& file, std::size_t c) {
      return std::array<double, 4>{values(file, "weight")[c], values(file, "bias")[c],
                                   values(file, "running_mean")[c], values(file, "running_var")[c]};
    };
    double most = 0;
    for (std::size_t c = 0; c < values(before, "weight").size(); ++c) {
      const auto a = part(before, c), b = part(after, c);
      for (double z = -3; z <= 3; z += 0.5) {
        const double x = a[2] + z * std::sqrt(a[3]);
        const double apart =
            output(x, b[0], b[1], b[2], b[3], epsilon) - output(x, a[0], a[1], a[2], a[3], epsilon);
        most = std::max(most, std::abs(apart) / std::abs(a[0]));
      }
    }
    return most;
  }
};

TEST_F(FoldedBatchNorms, AreTheSameFunctionOfTheirInputs) {
  const std::vector<TensorView> tensors = network();
  const SafetensorsFile before = file(tensors, "before");
  for (const double epsilon : {1e-5, 1e-3}) {
    const SafetensorsFile after =
        through_a_file(tensors, {.fold_batch_norm = true, .batch_norm_epsilon = epsilon});
    EXPECT_LT(difference(before, after, epsilon),
              1e-3);  // by float32, whose means lie 3000 deviations from 0
    EXPECT_EQ(values(after, "running_mean"), std::vector<float>(24, 0));
    EXPECT_EQ(values(after, "running_var"), std::vector<float>(24, 1));
    EXPECT_GT(difference(before, after, 10 * epsilon), 0.01);  // the epsilon counts
  }
}

// A float16 weight is off by 2^-11 of it, which at a mean of many deviations would move the output far.
TEST_F(FoldedBatchNorms, MeansStayWhereTheyAreInHalves) {
  std::vector<TensorView> tensors = network(8);
  tensors[3] = floats("bn.running_mean", {8}, {1, -1, 2, -2, 0, 1, 5, -5});
  tensors[4] = floats("bn.running_var", {8}, std::vector<float>(8, 4e-4f));  // deviations of 0.02
  const SafetensorsFile before = file(tensors, "before");
  const SafetensorsFile after =
      through_a_file(tensors, {.half = true, .fold_batch_norm = true, .batch_norm_epsilon = 1e-5});
  const auto weights = values(after, "weight"), biases = values(after, "bias");
  for (std::size_t c = 0; c < 8; ++c) {
    const double mean = values(before, "running_mean")[c];
    const double at_mean = output(mean, weights[c], biases[c], 0, 1, 1e-5);
    const double rounded = 0x1p-11 * std::abs(biases[c]);  // the bias as float16
    EXPECT_NEAR(at_mean, values(before, "bias")[c], rounded + 1e-6) << c;
  }
}

TEST_F(FoldedBatchNorms, TakeTheBytesOfTwoTensors) {
  const std::vector<TensorView> tensors = network(4096);
  const auto size = [&](bool fold) {
    const SafetensorsFile model = file(tensors);
    return compress(ModelTensors(model), std::filesystem::path(),
                    {.half = true, .fold_batch_norm = fold, .dry_run = true})
        .bytes;
  };
  EXPECT_LT(size(true), size(false) - 2 * 2 * 4096);
}

// A corrected mean is folded, not the model's.
TEST_F(FoldedBatchNorms, TakeCorrectedMeans) {
  std::vector<TensorView> tensors;
  for (const auto& [convolution, norm, in] : {std::tuple("conv1", "bn1", 3),
                                              {"layer1.0.conv1", "layer1.0.bn1", 8},
                                              {"layer1.0.conv2", "layer1.0.bn2", 8}}) {
    const std::string name = norm;
    tensors.push_back(normal(std::string(convolution) + ".weight", {8, in, 3, 3}));
    tensors.push_back(normal(name + ".weight", {8}, 1));
    tensors.push_back(normal(name + ".bias", {8}, 1));
    tensors.push_back(normal(name + ".running_mean", {8}, 1));
    tensors.push_back(floats(name + ".running_var", {8}, std::vector<float>(8, 1)));
  }
  const auto output_at_0 = [&](bool corrected, bool fold) {
    const SafetensorsFile after =
        through_a_file(tensors, {.scheme = "int2", .bias_correction = corrected, .fold_batch_norm = fold});
    std::vector<double> at_0;
    const auto part = [&](const char* ending) {
      return float32_values(after.at(std::string("layer1.0.bn1.") + ending));
    };
    for (std::size_t c = 0; c < 8; ++c) {
      at_0.push_back(output(0, part("weight")[c], part("bias")[c], part("running_mean")[c],
                            part("running_var")[c], 1e-5));
    }
    return at_0;
  };
  const auto plain = output_at_0(true, false), folded = output_at_0(true, true),
             before = output_at_0(false, true);
  double moved = 0;
  for (std::size_t c = 0; c < 8; ++c) {
    EXPECT_NEAR(folded[c], plain[c], 1e-5);
    moved += std::abs(folded[c] - before[c]);
  }
  EXPECT_GT(moved, 1e-3);
}

TEST_F(FoldedBatchNorms, NormsThatAreNotWholeStayAndAreNamed) {
  std::vector<TensorView> tensors = network();
  tensors.push_back(normal("plain.running_mean", {4}));  // without weight and bias
  tensors.push_back(floats("plain.running_var", {4}, {1, 1, 1, 1}));
  for (const char* part : {"bad.weight", "bad.bias", "bad.running_mean"})
    tensors.push_back(normal(part, {2}));
  tensors.push_back(floats("bad.running_var", {2}, {1, -1}));
  EXPECT_EQ(foldable_norms(ModelTensors(file(tensors)), 1e-5), (std::vector<std::string>{"bn"}));
  std::string warnings;
  Context context(1);
  context.on_log = [&](LogLevel level, std::string_view line) {
    if (level == LogLevel::warning) warnings += line;
  };
  const SafetensorsFile model = file(tensors);
  const Compression made =
      compress(ModelTensors(model), directory_ / "c", {.fold_batch_norm = true}, context);
  EXPECT_EQ(made.report.figure<std::int64_t>("folded_norms"), 1);
  EXPECT_NE(warnings.find("folds 1 of 3 batch norms"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("set option batch_norm_epsilon"), std::string::npos) << warnings;  // 1e-6 is small
  dequantize(directory_ / "c", directory_ / "f");
  const SafetensorsFile after(directory_ / "f");
  EXPECT_EQ(float32_values(after.at("bad.running_var")), (std::vector<float>{1, -1}));
}

// The writer refuses implied tensors that a reader could not make.
TEST_F(FoldedBatchNorms, ImpliedTensorsMustBeThoseOfABatchNorm) {
  const std::vector<TensorView> tensors = network();
  const QuantizedModel made =
      quantize_model(file(tensors), plan_compression(file(tensors), {.fold_batch_norm = true}));
  const auto write = [&](auto change) {
    CompactModel model = made.model;
    change(model);
    expect_error(ErrorCode::invalid_argument, "of a folded batch norm",
                 [&] { write_compact_file(directory_ / "c", model); });
  };
  const auto find = [](CompactModel& model, const std::string& name) {
    std::size_t i = 0;
    while (model.recipe.others[i].name != name) ++i;
    return i;
  };
  write([&](CompactModel& model) { model.recipe.others[find(model, "bn.running_var")].implied = false; });
  write([&](CompactModel& model) { model.recipe.others[find(model, "bn.bias")].implied = true; });
  write([&](CompactModel& model) {
    const std::size_t i = find(model, "bn.running_mean");
    model.others[i].data = model.others[find(model, "bn.running_var")].data;
  });
}

}  // namespace
}  // namespace parsimony::quant::batch_norm_fold_test
