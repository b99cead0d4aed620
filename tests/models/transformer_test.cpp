#include "parsimony/models/transformer.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "expect_error.hpp"
#include "models/transformer_layer.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/checkpoint.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

constexpr TransformerOptions kSmall{
    .vocabulary = 11, .context = 8, .layers = 4, .width = 8, .heads = 2, .feed_forward = 12};

torch::Tensor some_tokens(std::int64_t windows = 3) {
  return torch::randint(kSmall.vocabulary, {windows, kSmall.context}, torch::kLong);
}

std::int64_t parameters(const torch::nn::Module& model) {
  std::int64_t count = 0;
  for (const torch::Tensor& p : model.parameters()) count += p.numel();
  return count;
}

// Where the other has a parameter of that name.
void copy_parameters(const Transformer& from, Transformer& to) {
  const torch::NoGradGuard no_gradient;
  auto targets = to.named_parameters();
  for (const auto& item : from.named_parameters()) {
    if (torch::Tensor* target = targets.find(item.key())) target->copy_(item.value());
  }
}

torch::Tensor loss(Transformer& model, const torch::Tensor& tokens) {
  const torch::Tensor logits = model.forward(tokens.slice(1, 0, -1));
  return torch::nn::functional::cross_entropy(logits.flatten(0, 1), tokens.slice(1, 1).flatten());
}

TEST(Transformer, SeesNothingOfWhatFollows) {
  torch::manual_seed(1);
  Transformer model(kSmall);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor tokens = some_tokens();
  const torch::Tensor before = model.forward(tokens);
  for (std::int64_t t = 1; t < kSmall.context; ++t) {
    torch::Tensor other = tokens.clone();
    other.select(1, t) = (other.select(1, t) + 1) % kSmall.vocabulary;
    const torch::Tensor after = model.forward(other);
    EXPECT_TRUE(torch::equal(after.slice(1, 0, t), before.slice(1, 0, t))) << t;
    for (std::int64_t later = t; later < kSmall.context; ++later) {
      EXPECT_GT((after - before).select(1, later).abs().max().item<float>(), 1e-4) << t << ' ' << later;
    }
  }
}

TEST(Transformer, AttendsAsLibTorchDoes) {
  torch::manual_seed(2);
  constexpr std::int64_t kWidth = 12, kHeads = 3, kLength = 7;
  Attention attention({.width = kWidth, .heads = kHeads});
  torch::nn::MultiheadAttention other(torch::nn::MultiheadAttentionOptions(kWidth, kHeads));
  auto p = attention.named_parameters();
  {
    const torch::NoGradGuard no_gradient;
    for (auto& item : p) item.value().normal_();
    other->in_proj_weight.copy_(torch::cat({p["query.weight"], p["key.weight"], p["value.weight"]}));
    other->in_proj_bias.copy_(torch::cat({p["query.bias"], p["key.bias"], p["value.bias"]}));
    other->out_proj->weight.copy_(p["output.weight"]);
    other->out_proj->bias.copy_(p["output.bias"]);
  }
  attention.to(torch::kDouble);
  other->to(torch::kDouble);
  const torch::Tensor x = torch::randn({2, kLength, kWidth}, torch::kDouble);
  const torch::Tensor hidden = torch::ones({kLength, kLength}, torch::kBool).triu(1);
  const torch::Tensor sequence = x.transpose(0, 1);
  const torch::Tensor mask = torch::zeros({kLength, kLength}, torch::kDouble).masked_fill(hidden, -INFINITY);
  const torch::Tensor expected =
      std::get<0>(other->forward(sequence, sequence, sequence, {}, false, mask)).transpose(0, 1);
  EXPECT_LE((attention.forward(x, hidden) - expected).abs().max().item<double>(), 1e-12);
}

// With one layer and without positions the last logits were those of a set of tokens.
TEST(Transformer, KnowsTheOrderOfWhatIsBefore) {
  torch::manual_seed(9);
  TransformerOptions options = kSmall;
  options.layers = 1;
  Transformer model(options);
  const torch::Tensor a = model.forward(torch::tensor({{1, 2, 3, 4}}, torch::kLong)).select(1, 3);
  const torch::Tensor b = model.forward(torch::tensor({{3, 1, 2, 4}}, torch::kLong)).select(1, 3);
  EXPECT_GT((a - b).abs().max().item<float>(), 1e-3);
}

TEST(Transformer, HasTheParametersOfItsForm) {
  const std::int64_t block = 4 * (8 * 8 + 8) + (8 * 12 + 12) + (12 * 8 + 8) + 4 * 8;
  EXPECT_EQ(parameters(Transformer(kSmall)), 11 * 8 + 4 * block + 2 * 8);
  TransformerOptions options = kSmall;
  options.tied_embeddings = false;
  EXPECT_EQ(parameters(Transformer(options)), 2 * 11 * 8 + 4 * block + 2 * 8);
  options.share_adjacent = true;
  EXPECT_EQ(parameters(Transformer(options)), 2 * 11 * 8 + 2 * block + 2 * 8);
  options.layers = 5;
  EXPECT_EQ(parameters(Transformer(options)), 2 * 11 * 8 + 3 * block + 2 * 8);
  EXPECT_EQ(Transformer(options).blocks(), 3);
}

TEST(Transformer, TiedEmbeddingsGetTheGradientsOfBothUses) {
  torch::manual_seed(3);
  TransformerOptions options = kSmall;
  Transformer tied(options);
  options.tied_embeddings = false;
  Transformer apart(options);
  copy_parameters(tied, apart);
  {
    const torch::NoGradGuard no_gradient;
    apart.named_parameters()["output.weight"].copy_(tied.named_parameters()["embedding.weight"]);
  }
  tied.to(torch::kDouble);
  apart.to(torch::kDouble);
  const torch::Tensor tokens = some_tokens();
  const torch::Tensor a = loss(tied, tokens), b = loss(apart, tokens);
  EXPECT_NEAR(a.item<double>(), b.item<double>(), 1e-12);
  a.backward();
  b.backward();
  const auto p = apart.named_parameters();
  const torch::Tensor sum = p["embedding.weight"].grad() + p["output.weight"].grad();
  EXPECT_LE((tied.named_parameters()["embedding.weight"].grad() - sum).abs().max().item<double>(), 1e-12);
  EXPECT_GT(p["output.weight"].grad().abs().max().item<double>(), 1e-3);
}

TEST(Transformer, SharedLayersGetTheGradientsOfBothUses) {
  torch::manual_seed(4);
  TransformerOptions options = kSmall;
  options.layers = 5;
  Transformer apart(options);
  options.share_adjacent = true;
  Transformer shared(options);
  {
    const torch::NoGradGuard no_gradient;
    const auto from = shared.named_parameters();
    for (auto& item : apart.named_parameters()) {
      std::string name = item.key();
      if (name.starts_with("layers.")) name[7] = static_cast<char>('0' + (name[7] - '0') / 2);
      item.value().copy_(from[name]);
    }
  }
  shared.to(torch::kDouble);
  apart.to(torch::kDouble);
  const torch::Tensor tokens = some_tokens();
  const torch::Tensor a = loss(shared, tokens), b = loss(apart, tokens);
  EXPECT_NEAR(a.item<double>(), b.item<double>(), 1e-12);
  a.backward();
  b.backward();
  const auto p = apart.named_parameters();
  for (const auto& item : shared.named_parameters()) {
    std::string name = item.key();
    torch::Tensor sum;
    if (name.starts_with("layers.")) {
      const int block = name[7] - '0';
      name[7] = static_cast<char>('0' + 2 * block);
      sum = p[name].grad().clone();
      name[7] = static_cast<char>('0' + 2 * block + 1);
      if (block < 2) sum += p[name].grad();
    } else {
      sum = p[name].grad();
    }
    EXPECT_LE((item.value().grad() - sum).abs().max().item<double>(), 1e-12) << item.key();
  }
}

// A parameter that is used twice is in the file once, and the file makes the same model.
TEST(Transformer, FilesHaveTiedWeightsOnce) {
  const TemporaryDirectory directory;
  TransformerOptions options = kSmall;
  options.share_adjacent = true;
  options.layer_drop = 0.5;
  Transformer model(options), other(options);
  save_weights(model, directory / "w.safetensors");
  const SafetensorsFile file(directory / "w.safetensors");
  std::int64_t values = 0;
  for (const TensorView& view : file.tensors()) values += static_cast<std::int64_t>(view.data.size()) / 4;
  EXPECT_EQ(values, parameters(model));
  EXPECT_EQ(file.find("output.weight"), nullptr);
  load_weights(other, directory / "w.safetensors");
  model.eval();
  other.eval();
  const torch::Tensor tokens = some_tokens();
  EXPECT_TRUE(torch::equal(model.forward(tokens), other.forward(tokens)));
}

// 20,000 steps of 4 blocks: counts within 4.5 standard deviations, which chance passes once in 10,000 runs of
// other seeds, of blocks, and of pairs of blocks and of steps, which are independent.
TEST(Transformer, BlocksAreDroppedAtTheRate) {
  TransformerOptions options = kSmall;
  options.layer_drop = 0.2;
  options.seed = 5;
  const Transformer model(options);
  constexpr int kSteps = 20000;
  double single[4] = {}, pairs = 0, neighbours = 0;
  std::vector<bool> before(4);
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<bool> now = model.dropped_blocks(step);
    EXPECT_EQ(now, model.dropped_blocks(step));
    for (int i = 0; i < 4; ++i) single[i] += now[i];
    pairs += now[0] && now[1];
    neighbours += before[2] && now[2];
    before = now;
  }
  const auto near = [&](double count, double p) {
    EXPECT_NEAR(count, kSteps * p, 4.5 * std::sqrt(kSteps * p * (1 - p)));
  };
  for (const double count : single) near(count, 0.2);
  near(pairs, 0.04);
  near(neighbours, 0.04);
  options.seed = 6;
  int differ = 0;
  const Transformer reseeded(options);
  for (int step = 0; step < 100; ++step) {
    differ += reseeded.dropped_blocks(step) != model.dropped_blocks(step) ? 1 : 0;
  }
  EXPECT_GT(differ, 20);
}

TEST(Transformer, PruningIsSkipping) {
  for (const bool shared : {false, true}) {
    torch::manual_seed(7);
    TransformerOptions options = kSmall;
    options.layers = 7;
    options.share_adjacent = shared;
    options.layer_drop = 0.5;
    Transformer model(options);
    const torch::NoGradGuard no_gradient;
    const torch::Tensor tokens = some_tokens();
    int compared = 0;
    for (int step = 0; step < 12; ++step) {
      const std::vector<bool> dropped = model.dropped_blocks(step);
      std::vector<std::int64_t> keep;
      for (std::int64_t i = 0; i < model.blocks(); ++i) {
        if (!dropped[i]) keep.push_back(i);
      }
      EXPECT_EQ(model.step(), step);
      const torch::Tensor skipped = model.forward(tokens);
      if (keep.empty()) continue;
      Transformer pruned(options);
      copy_parameters(model, pruned);
      pruned.keep_blocks(keep);
      pruned.eval();
      EXPECT_TRUE(torch::equal(skipped, pruned.forward(tokens))) << step;
      ++compared;
    }
    EXPECT_GE(compared, 8);
  }
}

TEST(Transformer, NothingIsDroppedAtRateZeroOrInEvaluation) {
  torch::manual_seed(8);
  TransformerOptions options = kSmall;
  options.layer_drop = 0.9;
  options.dropout = 0.5;
  Transformer model(options), plain(kSmall);
  copy_parameters(model, plain);
  const torch::Tensor tokens = some_tokens();
  EXPECT_FALSE(torch::equal(model.forward(tokens), plain.forward(tokens)));
  EXPECT_EQ(model.step(), 1);
  model.eval();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(torch::equal(model.forward(tokens), plain.forward(tokens)));
  EXPECT_EQ(model.step(), 1);
  EXPECT_EQ(plain.step(), 0);
}

TEST(Transformer, PrunedModelsAreModelsOfFewerLayers) {
  const TemporaryDirectory directory;
  TransformerOptions options = kSmall;
  options.layers = 7;
  options.share_adjacent = true;
  Transformer model(options);
  const torch::Tensor weight = model.named_parameters()["layers.3.attention.key.weight"];
  model.keep_blocks(std::vector<std::int64_t>{1, 3});
  EXPECT_EQ(model.options().layers, 3);  // a pair, and the last, which is alone
  EXPECT_TRUE(model.named_parameters()["layers.1.attention.key.weight"].is_same(weight));
  save_weights(model, directory / "w.safetensors");
  Transformer small(model.options());
  load_weights(small, directory / "w.safetensors");
  const torch::Tensor tokens = some_tokens();
  EXPECT_TRUE(torch::equal(model.forward(tokens), small.forward(tokens)));
  const std::vector<std::vector<std::int64_t>> wrong = {{}, {0, 0}, {1, 0}, {2}, {-1}};
  for (const auto& keep : wrong) {
    expect_error(ErrorCode::invalid_argument, "keep", [&] { model.keep_blocks(keep); });
  }
  EXPECT_EQ(model.blocks(), 2);
}

TEST(Transformer, CheckpointsKeepTheStep) {
  const TemporaryDirectory directory;
  TransformerOptions options = kSmall;
  options.layer_drop = 0.3;
  Transformer model(options), resumed(options);
  torch::optim::SGD a(model.parameters(), 0.1), b(resumed.parameters(), 0.1);
  for (int i = 0; i < 5; ++i) model.forward(some_tokens());
  train::save_checkpoint(directory / "c", {model, a});
  train::TrainingState state{resumed, b};
  train::load_checkpoint(directory / "c", state);
  EXPECT_EQ(resumed.step(), 5);
  const torch::Tensor tokens = some_tokens();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(torch::equal(model.forward(tokens), resumed.forward(tokens)));
}

TEST(Transformer, RefusesWhatItCannotBe) {
  TransformerOptions options = kSmall;
  options.heads = 3;
  expect_error(ErrorCode::invalid_argument, "width: 8 values for 3 heads",
               [&] { Transformer model(options); });
  options.heads = 1;
  options.width = 7;
  expect_error(ErrorCode::invalid_argument, "must be even", [&] { Transformer model(options); });
  options = kSmall;
  options.layer_drop = 1;
  expect_error(ErrorCode::invalid_argument, "layer_drop", [&] { Transformer model(options); });
  Transformer model(kSmall);
  expect_error(ErrorCode::invalid_argument, "windows of 8 tokens", [&] {
    model.forward(torch::zeros({1, 9}, torch::kLong));
  });
  expect_error(ErrorCode::invalid_argument, "two dimensions",
               [&] { model.forward(torch::zeros({8}, torch::kLong)); });
}

}  // namespace
}  // namespace parsimony::models
