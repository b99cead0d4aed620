// Noise, codes, sharing and pruning on one model.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "parsimony/models/transformer.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/train/ipq.hpp"
#include "parsimony/train/noise.hpp"
#include "parsimony/train/pruning.hpp"

namespace parsimony::models {
namespace {

constexpr TransformerOptions kShared{.vocabulary = 64,
                                     .context = 8,
                                     .layers = 8,
                                     .width = 16,
                                     .heads = 2,
                                     .feed_forward = 32,
                                     .share_adjacent = true,
                                     .layer_drop = 0.2};

torch::Tensor tokens_of_shared() {
  return torch::randint(kShared.vocabulary, {4, kShared.context}, torch::kLong);
}

// Six weights a block and the embeddings, which the output has too: at rate 1 a proxy leaves nothing of them.
TEST(CompressedTransformer, NoiseReachesEachWeightOnce) {
  torch::manual_seed(1);
  Transformer model(kShared);
  const torch::Tensor tokens = tokens_of_shared();
  train::Noise noise({.rate = 0.3});
  {
    const train::NoisyWeights noisy = noise.apply(model);
    EXPECT_EQ(noisy.weights(), 4 * 6 + 1);
    EXPECT_EQ(noisy.blocks(), 64 * 16 / 8 + 4 * (4 * 16 * 16 + 2 * 16 * 32) / 8);
    model.forward(tokens).square().sum().backward();
  }
  for (const auto& item : model.named_parameters()) EXPECT_TRUE(item.value().is_leaf()) << item.key();
  EXPECT_TRUE(model.named_parameters()["embedding.weight"].grad().defined());
  train::Noise all({.rate = 1, .layers = "embedding"});
  const train::NoisyWeights noisy = all.apply(model);
  EXPECT_TRUE(model.forward(tokens).eq(0).all().item<bool>());
}

TEST(CompressedTransformer, StagesAreFeedForwardEmbeddingsAttention) {
  Transformer model(kShared);
  train::Ipq ipq(model, {.centroids = 16});
  const std::vector<std::string> stages = train::ipq_stages(model);
  ASSERT_EQ(stages.size(), 3);
  EXPECT_EQ(ipq.quantize(stages[0]),
            (std::vector<std::string>{"layers.0.feed_forward.0", "layers.0.feed_forward.2",
                                      "layers.1.feed_forward.0", "layers.1.feed_forward.2",
                                      "layers.2.feed_forward.0", "layers.2.feed_forward.2",
                                      "layers.3.feed_forward.0", "layers.3.feed_forward.2"}));
  EXPECT_EQ(ipq.quantize(stages[1]), (std::vector<std::string>{"embedding"}));
  EXPECT_EQ(ipq.quantize(stages[2]).size(), 16);
  EXPECT_EQ(ipq.tensors().size(), 25);
}

// Layers dropped in training, pruning, quantization, storage and noise on the remaining weights work
// together.
TEST(CompressedTransformer, EverythingComposes) {
  torch::manual_seed(2);
  Transformer model(kShared);
  const torch::Tensor tokens = tokens_of_shared();
  model.keep_blocks(train::kept_blocks(model.blocks()));
  EXPECT_EQ(model.options().layers, 4);
  train::Ipq ipq(model, {.centroids = 16});
  train::Noise noise(
      {.function = train::NoiseFunction::product, .rate = 0.2, .centroids = 8, .layers = ".*attention.*"});
  const std::vector<std::string> stages = train::ipq_stages(model);
  ipq.quantize(stages[0]);
  ipq.quantize(stages[1]);
  torch::Tensor before;
  {
    const train::DecodedWeights decoded = ipq.apply();
    const train::NoisyWeights noisy = noise.apply(model);
    EXPECT_EQ(noisy.weights(), 8);
    model.forward(tokens).square().sum().backward();
    for (const torch::Tensor& c : ipq.centroids()) EXPECT_TRUE(c.grad().defined());
  }
  model.eval();
  {
    const train::DecodedWeights decoded = ipq.apply();
    before = model.forward(tokens);
  }
  EXPECT_FALSE(torch::allclose(model.forward(tokens), before, 1e-3, 1e-3));
  ipq.store();
  EXPECT_TRUE(torch::allclose(model.forward(tokens), before, 1e-2, 1e-2));  // centroids in half precision
  for (const auto& [name, tensor] : ipq.tensors()) {
    std::vector<float> values = quant::decode(tensor);
    const torch::Tensor weight = model.named_parameters()[name + ".weight"];
    EXPECT_TRUE(torch::equal(weight, torch::from_blob(values.data(), tensor.shape, torch::kFloat))) << name;
  }
}

}  // namespace
}  // namespace parsimony::models
