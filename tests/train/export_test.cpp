#include "parsimony/train/export.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/ipq.hpp"
#include "temporary_directory.hpp"
#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

// A network with integers, products of a shared codebook, and everything that is not in codes.
struct Compressed {
  models::ResNet net{{.depth = 8}};
  Ipq ipq{net,
          {.block_size = 4,
           .layout = quant::BlockLayout::input_channels,
           .centroids = 32,
           .codebook = quant::CodebookType::int8,
           .shared_codebook = true},
          Context{},
          {{"conv1|linear", {.scheme = quant::Scheme::integer, .bits = 8}},
           {R"(layer1\..*)", {.scheme = quant::Scheme::integer, .bits = 3}}}};

  explicit Compressed(std::uint64_t seed) {
    torch::manual_seed(seed);
    for (torch::Tensor& parameter : net.parameters()) parameter.detach().normal_();
    for (const auto& buffer : net.named_buffers()) {
      if (buffer.value().is_floating_point()) buffer.value().uniform_(0.5, 2);
    }
    ipq.quantize(R"(layer2\..*)");
    ipq.quantize(R"(conv1|linear|layer1\..*)");
    net.eval();
  }
};

TEST(Export, ReadersComputeWhatTheModelComputes) {
  for (const bool deflate : {false, true}) {
    for (const OtherTensors others : {OtherTensors::float32, OtherTensors::float16, OtherTensors::int8}) {
      Compressed model(1);
      const TemporaryDirectory directory;
      const ExportOptions options{.others = others, .deflate_header = deflate};
      const std::int64_t planned =
          quant::planned_size(export_recipe(model.net, model.ipq.tensors(), options));
      export_compact(directory / "small", model.net, model.ipq.tensors(), options);
      EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(directory / "small")), planned);

      quant::write_dequantized(directory / "floats", quant::read_compact_file(directory / "small"));
      models::ResNet other({.depth = 8});
      models::load_weights(other, directory / "floats");
      other.eval();
      const torch::Tensor images = torch::randn({3, 3, 32, 32});
      EXPECT_TRUE(torch::equal(other.forward(images), model.net.forward(images)));
    }
  }
}

TEST(Export, LayersInCodesAreThoseOfTheirCodes) {
  Compressed model(2);
  const auto tensors = model.ipq.tensors();
  const TemporaryDirectory directory;
  export_compact(directory / "small", model.net, tensors);
  const quant::CompactModel read = quant::read_compact_file(directory / "small");
  EXPECT_EQ(read.weights.size(), tensors.size());
  const quant::Codebook* shared = nullptr;
  for (const auto& [name, tensor] : tensors) {
    const quant::QuantizedTensor* found = read.find_weight(name + ".weight");
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->packed, tensor.packed) << name;
    if (!name.starts_with("layer2")) continue;
    if (shared == nullptr) shared = found->codebook.get();
    EXPECT_EQ(found->codebook.get(), shared);
  }
  EXPECT_NE(shared, nullptr);
}

TEST(Export, HalvesAreOnlyWhatHalvesHoldWell) {
  struct Halves : torch::nn::Module {
    torch::Tensor fine, wide, tiny;
    Halves() {
      fine = register_parameter("fine", torch::tensor({1.0F, 1e-6F, -0.5F}));
      wide = register_parameter("wide", torch::tensor({1.0F, 1e6F}));
      tiny = register_buffer("tiny", torch::tensor({1.0F, 1e-7F}));
    }
  };
  Halves net;
  const auto recipe = export_recipe(net, {});
  for (const quant::OtherRecipe& other : recipe.others) {
    EXPECT_EQ(other.stored_dtype, other.name == "fine" ? DType::float16 : DType::float32) << other.name;
  }
  EXPECT_EQ(recipe.others.size(), 3);
}

TEST(Export, WhatIsSharedLiesThereOnce) {
  struct Tied : torch::nn::Module {
    torch::nn::Linear first{nullptr};
    torch::Tensor second;
    Tied() {
      first = register_module("first", torch::nn::Linear(8, 6));
      second = register_parameter("second", first->weight);
    }
  };
  Tied net;
  Ipq ipq(net, {.scheme = quant::Scheme::integer, .bits = 4});
  ipq.quantize("first");
  const TemporaryDirectory directory;
  export_compact(directory / "small", net, ipq.tensors());
  const quant::CompactModel read = quant::read_compact_file(directory / "small");
  EXPECT_EQ(read.weights.size(), 1);
  EXPECT_EQ(read.others.size(), 1);  // the bias
  EXPECT_EQ(read.recipe.aliases.at("second"), "first.weight");
}

TEST(Export, FoldedStatisticsAreOfOneTensor) {
  Compressed model(3);
  const torch::Tensor images = torch::randn({3, 3, 32, 32});
  const torch::Tensor before = model.net.forward(images).detach();
  const std::int64_t bytes = quant::planned_size(export_recipe(model.net, {}));
  fold_statistics(model.net);
  const torch::Tensor after = model.net.forward(images).detach();
  EXPECT_LE((after - before).abs().max().item<double>(), 1e-4 * before.abs().max().item<double>());
  const auto recipe = export_recipe(model.net, {});
  EXPECT_LT(quant::planned_size(recipe), bytes);
  std::int64_t statistics = 0;
  for (const quant::OtherRecipe& other : recipe.others)
    statistics += other.name.find("running") != std::string::npos;
  EXPECT_EQ(statistics, 2 * 3);  // means and variances for three widths
}

TEST(Export, CodesOfNoLayerAreRefused) {
  Compressed model(4);
  auto tensors = model.ipq.tensors();
  tensors["layer9"] = tensors.begin()->second;
  expect_error(ErrorCode::invalid_argument, "no layer \"layer9\"",
               [&] { export_recipe(model.net, tensors); });
  tensors.erase("layer9");
  std::swap(tensors.at("conv1"), tensors.at("linear"));
  expect_error(ErrorCode::invalid_argument, "have shape", [&] { export_recipe(model.net, tensors); });
}

}  // namespace
}  // namespace parsimony::train
