// Shared, dropped and pruned layers of encoders.
#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/models/bert.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/checkpoint.hpp"
#include "parsimony/train/ipq.hpp"
#include "parsimony/train/noise.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::bert_blocks_test {
namespace {

BertOptions with_blocks(std::int64_t layers, bool shared, double drop = 0) {
  return {.head = EncoderHead::classification,
          .vocabulary = 30,
          .positions = 12,
          .layers = layers,
          .width = 16,
          .heads = 2,
          .feed_forward = 24,
          .dropout = 0,
          .share_adjacent = shared,
          .layer_drop = drop,
          .seed = 4};
}

torch::Tensor some_ids() {
  return torch::randint(1, 30, {3, 9}, torch::kLong);
}

// The same network with a module for each layer.
void copy_to_apart(const Bert& shared, Bert& apart) {
  const torch::NoGradGuard no_gradient;
  const auto from = shared.named_parameters();
  for (auto& item : apart.named_parameters()) item.value().copy_(from[item.key()]);
}

TEST(BertBlocks, SharedLayersGetTheGradientsOfBothUses) {
  torch::manual_seed(5);
  Bert shared(with_blocks(5, true)), apart(with_blocks(5, false));
  EXPECT_EQ(shared.blocks(), 3);
  copy_to_apart(shared, apart);
  shared.to(torch::kDouble);
  apart.to(torch::kDouble);
  const torch::Tensor ids = some_ids();
  const torch::Tensor a = shared.forward(ids).square().sum(), b = apart.forward(ids).square().sum();
  EXPECT_NEAR(a.item<double>(), b.item<double>(), 1e-12);
  a.backward();
  b.backward();
  const auto p = apart.named_parameters(), q = shared.named_parameters();
  const auto name = [](int layer) {
    return "bert.encoder.layer." + std::to_string(layer) + ".output.dense.weight";
  };
  EXPECT_TRUE(q[name(2)].is_same(q[name(3)]));
  for (const int layer : {0, 2, 4}) {
    torch::Tensor sum = p[name(layer)].grad();
    if (layer < 4) sum = sum + p[name(layer + 1)].grad();
    EXPECT_LE((q[name(layer)].grad() - sum).abs().max().item<double>(), 1e-12) << layer;
  }
}

// Files have a shared layer once; a file without shared layers gives the first of both.
TEST(BertBlocks, FilesHaveSharedLayersOnce) {
  const TemporaryDirectory directory;
  Bert shared(with_blocks(4, true)), other(with_blocks(4, true)), apart(with_blocks(4, false));
  save_weights(shared, directory / "s.safetensors");
  const SafetensorsFile file(directory / "s.safetensors");
  EXPECT_NE(file.find("bert.encoder.layer.2.output.dense.weight"), nullptr);
  EXPECT_EQ(file.find("bert.encoder.layer.3.output.dense.weight"), nullptr);
  load_weights(other, directory / "s.safetensors");
  const torch::Tensor ids = some_ids();
  EXPECT_TRUE(torch::equal(other.forward(ids), shared.forward(ids)));
  save_weights(apart, directory / "a.safetensors");
  load_weights(shared, directory / "a.safetensors");
  const auto p = apart.named_parameters(), q = shared.named_parameters();
  for (const auto& item : q) {
    std::string name = item.key();
    for (const char odd : {'1', '3'}) {
      const std::size_t at = name.find(std::string("layer.") + odd);
      if (at != name.npos) name[at + 6] = static_cast<char>(odd - 1);
    }
    EXPECT_TRUE(torch::equal(item.value(), p[name])) << item.key();
  }
}

TEST(BertBlocks, PruningIsSkipping) {
  for (const bool shared : {false, true}) {
    torch::manual_seed(7);
    Bert model(with_blocks(7, shared, 0.5));
    const torch::NoGradGuard no_gradient;
    const torch::Tensor ids = some_ids();
    int compared = 0;
    for (int step = 0; step < 12; ++step) {
      EXPECT_EQ(model.step(), step);
      const torch::Tensor skipped = model.forward(ids);
      for (int kept = 1; kept < 1 << model.blocks(); ++kept) {
        std::vector<std::int64_t> keep;
        for (int i = 0; i < model.blocks(); ++i) {
          if (kept >> i & 1) keep.push_back(i);
        }
        Bert pruned(with_blocks(7, shared, 0.5));
        copy_to_apart(model, pruned);
        pruned.keep_blocks(keep);
        pruned.eval();
        compared += torch::equal(skipped, pruned.forward(ids)) ? 1 : 0;
      }
    }
    // Each step is that of exactly one set of blocks, but where all are skipped.
    EXPECT_GE(compared, 10);
    EXPECT_LE(compared, 12);
  }
}

TEST(BertBlocks, PrunedEncodersAreEncodersOfFewerLayers) {
  const TemporaryDirectory directory;
  Bert model(with_blocks(7, true));
  model.keep_blocks(std::vector<std::int64_t>{1, 3});
  EXPECT_EQ(model.options().layers, 3);  // a pair, and the last, which is alone
  save_weights(model, directory / "w.safetensors");
  Bert small(model.options());
  load_weights(small, directory / "w.safetensors");
  const torch::Tensor ids = some_ids();
  EXPECT_TRUE(torch::equal(model.forward(ids), small.forward(ids)));
  for (const auto& keep : std::vector<std::vector<std::int64_t>>{{}, {0, 0}, {2}}) {
    expect_error(ErrorCode::invalid_argument, "keep", [&] { model.keep_blocks(keep); });
  }
}

TEST(BertBlocks, CheckpointsKeepTheStep) {
  const TemporaryDirectory directory;
  Bert model(with_blocks(6, true, 0.4)), resumed(with_blocks(6, true, 0.4));
  torch::optim::SGD a(model.parameters(), 0.1), b(resumed.parameters(), 0.1);
  for (int i = 0; i < 5; ++i) model.forward(some_ids());
  train::save_checkpoint(directory / "c", {model, a});
  train::TrainingState state{resumed, b};
  train::load_checkpoint(directory / "c", state);
  EXPECT_EQ(resumed.step(), 5);
  EXPECT_TRUE(resumed.named_parameters()["bert.encoder.layer.0.output.dense.weight"].is_same(
      resumed.named_parameters()["bert.encoder.layer.1.output.dense.weight"]));
  const torch::Tensor ids = some_ids();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(torch::equal(model.forward(ids), resumed.forward(ids)));
  model.end_layer_drop();
  EXPECT_TRUE(torch::equal(model.forward(ids), model.forward(ids)));
}

TEST(BertBlocks, NoiseAndCodesReachASharedWeightOnce) {
  Bert model(with_blocks(4, true));
  train::Noise noise({.rate = 0.3, .layers = ".*encoder.*"});
  EXPECT_EQ(noise.apply(model).weights(), 2 * 6);
  train::Ipq ipq(model, {.centroids = 16});
  std::size_t layers = 0;
  for (const std::string& stage : train::ipq_stages(model)) layers += ipq.quantize(stage).size();
  EXPECT_EQ(layers, 2 * 6 + 3 + 2);  // blocks, embeddings, pooler and classifier
}

TEST(BertBlocks, TellsTheStatesOfItsLayers) {
  Bert model(with_blocks(4, true));
  model.eval();
  std::vector<torch::Tensor> states;
  const torch::Tensor ids = some_ids(), last = model.encode(ids, {}, &states);
  ASSERT_EQ(states.size(), 4);
  EXPECT_TRUE(torch::equal(states.back(), last));
  EXPECT_FALSE(torch::equal(states[0], states[1]));
}

}  // namespace
}  // namespace parsimony::models::bert_blocks_test
