#include "parsimony/models/resnet.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>

#include "expect_error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/data/labelled_images.hpp"
#include "parsimony/models/weights.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

const std::filesystem::path kNetworks = places::data_folder() / "networks";

torch::Tensor tensor(const SafetensorsFile& file, const char* name) {
  const TensorView& view = file.at(name);
  std::vector<float> values = float32_values(view);
  return torch::from_blob(values.data(), view.shape, torch::kFloat).clone();
}

std::int64_t parameters(int depth) {
  std::int64_t count = 0;
  for (const torch::Tensor& p : ResNet({.depth = depth}).parameters()) count += p.numel();
  return count;
}

// The paper's table 6: 0.27, 0.46, 0.66 and 0.85 million.
TEST(ResNet, HasThePublishedNumbersOfParameters) {
  EXPECT_EQ(parameters(20), 269722);
  EXPECT_NEAR(parameters(32), 0.46e6, 0.005e6);
  EXPECT_NEAR(parameters(44), 0.66e6, 0.005e6);
  EXPECT_NEAR(parameters(56), 0.85e6, 0.005e6);
}

TEST(ResNet, RefusesOtherDepths) {
  expect_error(ErrorCode::invalid_argument, "6 n + 2", [] { ResNet({.depth = 21}); });
  expect_error(ErrorCode::invalid_argument, "classes", [] { ResNet({.classes = 0}); });
}

TEST(ResNet, WeightsSurviveAFile) {
  const TemporaryDirectory directory;
  ResNet first({.depth = 8}), second({.depth = 8});
  first.forward(torch::randn({4, 3, 32, 32}));  // statistics other than those of a new model
  save_weights(first, directory / "w.safetensors");
  load_weights(second, directory / "w.safetensors");
  const auto a = first.named_parameters(), b = second.named_parameters();
  for (const auto& item : a) EXPECT_TRUE(torch::equal(item.value(), b[item.key()])) << item.key();
  const auto c = first.named_buffers(), d = second.named_buffers();
  for (const auto& item : c) EXPECT_TRUE(torch::equal(item.value(), d[item.key()])) << item.key();
}

TEST(ResNet, FilesThatDoNotFitAreNamedAndChangeNothing) {
  const TemporaryDirectory directory;
  const auto path = directory / "w.safetensors";
  ResNet small({.depth = 8}), deep({.depth = 14}), other({.depth = 8, .classes = 7});
  save_weights(small, path);
  const torch::Tensor before = deep.parameters()[0].clone();
  expect_error(ErrorCode::format,
               "30 tensors of the model are missing: 'layer1.1.conv1.weight', 'layer1.1.bn1.weight'",
               [&] { load_weights(deep, path); });
  EXPECT_TRUE(torch::equal(before, deep.parameters()[0]));
  expect_error(ErrorCode::format, "[10, 64]; the model needs [7, 64]", [&] { load_weights(other, path); });
  save_weights(deep, path);
  expect_error(ErrorCode::format, "does not have 36 tensors: 'layer1.1", [&] { load_weights(small, path); });
}

TEST(ResNet, LogitsAreThoseOfTheAuthorsModel) {
  for (const char* name : {"resnet20-cifar10.safetensors", "resnet20-reference.safetensors"}) {
    if (!std::filesystem::exists(kNetworks / name)) GTEST_SKIP() << (kNetworks / name) << " is missing";
  }
  ResNet model;
  load_weights(model, kNetworks / "resnet20-cifar10.safetensors");
  model.eval();
  const torch::NoGradGuard no_gradient;
  const SafetensorsFile reference(kNetworks / "resnet20-reference.safetensors");
  const torch::Tensor logits = model.forward(tensor(reference, "input"));
  EXPECT_LE((logits - tensor(reference, "logits")).abs().max().item<float>(), 1e-4);
}

// 81.0 % on the lossy images is published. One image in five: a standard deviation of .78 %.
TEST(ResNet, AccuracyOnCifar10IsThePublishedOne) {
  for (const char* name : {"resnet20-cifar10.safetensors", "cifar10-jpeg.zip"}) {
    if (!std::filesystem::exists(kNetworks / name)) GTEST_SKIP() << (kNetworks / name) << " is missing";
  }
  ResNet model;
  load_weights(model, kNetworks / "resnet20-cifar10.safetensors");
  model.eval();
  const torch::NoGradGuard no_gradient;
  data::LabelledImages images = data::read_labelled_images(kNetworks / "cifar10-jpeg.zip", "test");
  const torch::Tensor pixels =
      torch::from_blob(images.pixels.data(), {images.size(), 3, images.height, images.width}, torch::kByte);
  const torch::Tensor labels = torch::from_blob(images.labels.data(), {images.size()}, torch::kLong);
  const torch::Tensor mean = torch::tensor({0.485f, 0.456f, 0.406f}).view({1, 3, 1, 1});
  const torch::Tensor deviation = torch::tensor({0.229f, 0.224f, 0.225f}).view({1, 3, 1, 1});
  std::int64_t right = 0, tried = 0;
  for (std::int64_t i = 0; i < images.size(); i += 1000) {
    const torch::Tensor x = (pixels.slice(0, i, i + 1000, 5).to(torch::kFloat) / 255 - mean) / deviation;
    right += model.forward(x).argmax(1).eq(labels.slice(0, i, i + 1000, 5)).sum().item<std::int64_t>();
    tried += x.size(0);
  }
  EXPECT_NEAR(100 * static_cast<double>(right) / static_cast<double>(tried), 81.0, 3 * 0.78);
}

}  // namespace
}  // namespace parsimony::models
