#include "parsimony/models/weights.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/quant/compress.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

// A compact file is what it decompresses to, codes of both schemes and what is not in codes.
TEST(Weights, OfACompactFileAreTheDecodedOnes) {
  const TemporaryDirectory directory;
  const ResNet model({.depth = 8});
  save_weights(model, directory / "model.safetensors");
  const SafetensorsFile file(directory / "model.safetensors");
  for (const auto scheme : {"int4", "pq"}) {
    const auto made = quant::compress(file, directory / "small.safetensors", {.scheme = scheme});
    ASSERT_FALSE(made.recipe.weights.empty());
    quant::dequantize(directory / "small.safetensors", directory / "decoded.safetensors");
    ResNet compact({.depth = 8}), decoded({.depth = 8});
    load_weights(compact, directory / "small.safetensors");
    load_weights(decoded, directory / "decoded.safetensors");
    const auto expected = decoded.named_parameters();
    for (const auto& item : compact.named_parameters()) {
      EXPECT_TRUE(torch::equal(item.value(), expected[item.key()])) << item.key();
    }
    EXPECT_FALSE(
        torch::equal(compact.named_parameters()["linear.weight"], model.named_parameters()["linear.weight"]));
    ResNet deep({.depth = 14});
    expect_error(ErrorCode::format, "are missing",
                 [&] { load_weights(deep, directory / "small.safetensors"); });
  }
}

// One message has all that does not fit, so that a wrong network is told from a wrong name.
TEST(Weights, AllThatDoesNotFitIsListed) {
  struct Pair : torch::nn::Module {
    Pair(std::int64_t inputs, const std::string& second) {
      register_module("first", torch::nn::Linear(inputs, 2));
      register_module(second, torch::nn::Linear(3, 2));
    }
  };
  const TemporaryDirectory directory;
  save_weights(Pair(4, "second"), directory / "model.safetensors");
  Pair other(5, "last");
  const torch::Tensor before = other.named_parameters()["first.bias"].clone();
  expect_error(
      ErrorCode::format,
      "model.safetensors: 2 tensors of the model are missing: 'last.weight', 'last.bias'; the model does not "
      "have 2 tensors: 'second.bias', 'second.weight'; tensor 'first.weight' has the shape [2, 4]; the "
      "model needs [2, 5]",
      [&] { load_weights(other, directory / "model.safetensors"); });
  EXPECT_TRUE(torch::equal(before, other.named_parameters()["first.bias"]));
}

// Layers that share a weight have one entry in a file, and take it from any of their names.
TEST(Weights, SharedOnesAreStoredOnce) {
  struct Tied : torch::nn::Module {
    torch::Tensor in, out;
    Tied() {
      in = register_parameter("in", torch::randn({40, 8}));
      out = register_parameter("out", in);
    }
  };
  const TemporaryDirectory directory;
  const Tied model;
  save_weights(model, directory / "model.safetensors");
  const SafetensorsFile file(directory / "model.safetensors");
  EXPECT_EQ(file.tensors().size(), 1);
  Tied other;
  load_weights(other, directory / "model.safetensors");
  EXPECT_TRUE(torch::equal(other.out, model.in));
}

}  // namespace
}  // namespace parsimony::models
