// The networks of the room run beside those of LibTorch with the same weights.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/models/efficientnet.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/run/image_network.hpp"
#include "parsimony/run/language_model.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::running_test {
namespace {

double largest_error(const torch::Tensor& values, const torch::Tensor& right) {
  return ((values - right).abs().max() / right.abs().max()).item<double>();
}

torch::Tensor tensor(const Matrix<float>& values) {
  return torch::from_blob(const_cast<float*>(values.data()), {values.rows(), values.cols()}, torch::kFloat)
      .clone();
}

// Norms and biases that are not those of a new network.
void vary(torch::nn::Module& model) {
  const torch::NoGradGuard no_gradient;
  for (const auto& item : model.named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(torch::randn_like(item.value()), 0.2);
  }
}

struct SmallLanguage {
  TransformerOptions options{
      .vocabulary = 300, .context = 24, .layers = 3, .width = 64, .heads = 4, .feed_forward = 96};
  std::int64_t count = 24;
};

// Logits of all positions of a text, token by token.
torch::Tensor stepped(const run::LanguageModel& model, const torch::Tensor& tokens, int threads = 1) {
  run::LanguageSession session(model);
  const Context context(threads);
  torch::Tensor out = torch::empty({tokens.size(0), model.vocabulary()});
  for (std::int64_t t = 0; t < tokens.size(0); ++t) {
    const auto logits = session.step(static_cast<std::int32_t>(tokens[t].item<std::int64_t>()), context);
    std::copy(logits.begin(), logits.end(), out[t].data_ptr<float>());
  }
  return out;
}

void expect_logits_of_lib_torch(const TransformerOptions& options, std::int64_t layers) {
  Transformer model(options);
  vary(model);
  model.eval();
  const TemporaryDirectory directory;
  save_weights(model, directory / "m.safetensors");
  const torch::Tensor tokens = torch::randint(300, {options.context});
  const torch::NoGradGuard no_gradient;
  const torch::Tensor right = model.forward(tokens.unsqueeze(0))[0];
  const run::LanguageModel network = run::load_language_model(
      directory / "m.safetensors",
      {.heads = 4, .layers = layers, .context = options.context, .first_position = options.first_position});
  EXPECT_EQ(network.layers(), 3);
  EXPECT_LE(largest_error(stepped(network, tokens), right), 1e-5);
}

TEST(Running, LanguageModelsAreThoseOfLibTorch) {
  for (const bool tied : {true, false}) {
    for (const bool shared : {false, true}) {
      torch::manual_seed(4);
      TransformerOptions options = SmallLanguage().options;
      options.tied_embeddings = tied;
      options.share_adjacent = shared;
      options.final_norm = tied || shared;  // without cutoffs, too
      expect_logits_of_lib_torch(options, shared ? 3 : 0);
    }
  }
}

TEST(Running, AdaptiveSoftmaxesAreThoseOfLibTorch) {
  for (const bool final_norm : {true, false}) {
    torch::manual_seed(7);
    TransformerOptions options = SmallLanguage().options;
    options.cutoffs = {100, 220};
    options.final_norm = final_norm;
    options.first_position = final_norm ? 0 : 2;
    options.share_adjacent = !final_norm;
    expect_logits_of_lib_torch(options, 3);
  }
}

TEST(Running, LanguageModelsInCodesAreExactOrNear) {
  torch::manual_seed(5);
  const SmallLanguage small;
  Transformer model(small.options), decoded(small.options);
  vary(model);
  const TemporaryDirectory directory;
  save_weights(model, directory / "m.safetensors");
  quant::CompressOptions options;
  options.scheme = "pq8";
  quant::compress(directory / "m.safetensors", directory / "c.safetensors", options);
  load_weights(decoded, directory / "c.safetensors");
  decoded.eval();
  const torch::Tensor tokens = torch::randint(300, {small.count});
  const torch::NoGradGuard no_gradient;
  const torch::Tensor right = decoded.forward(tokens.unsqueeze(0))[0];
  const auto load = [&](run::Precision precision) {
    return run::load_language_model(directory / "c.safetensors", {.heads = 4, .context = 24},
                                    {.precision = precision});
  };
  const run::LanguageModel exact = load(run::Precision::exact), fast = load(run::Precision::automatic);
  EXPECT_GE(exact.in_codes(), 19);
  const torch::Tensor one = stepped(exact, tokens);
  EXPECT_LE(largest_error(one, right), 1e-5);
  EXPECT_LE(largest_error(stepped(fast, tokens), right), 0.05);
  for (const int threads : {2, 3}) {
    EXPECT_TRUE(torch::equal(stepped(exact, tokens, threads), one));
    EXPECT_TRUE(torch::equal(stepped(fast, tokens, threads), stepped(fast, tokens)));
  }
}

TEST(Running, RefusesLanguageModelsThatItCannotRun) {
  const TemporaryDirectory directory;
  const SmallLanguage small;
  TransformerOptions options = small.options;
  save_weights(Transformer(options), directory / "m.safetensors");
  const auto load = [&](const run::LanguageOptions& language) {
    return run::load_language_model(directory / "m.safetensors", language);
  };
  EXPECT_EQ(load({}).options().heads, 4);  // as the metadata say
  write_safetensors(directory / "untold.safetensors", SafetensorsFile(directory / "m.safetensors").tensors());
  expect_error(ErrorCode::invalid_argument, "heads: the file does not tell",
               [&] { run::load_language_model(directory / "untold.safetensors", {}); });
  expect_error(ErrorCode::invalid_argument, "divide the width, 64", [&] { load({.heads = 5}); });
  expect_error(ErrorCode::invalid_argument, "layers: is 4", [&] { load({.heads = 4, .layers = 4}); });
  run::LanguageSession session(load({.heads = 4, .context = 2}));
  expect_error(ErrorCode::invalid_argument, "0 to 299", [&] { session.step(300); });
  session.step(1), session.step(2);
  expect_error(ErrorCode::invalid_argument, "holds 2 tokens", [&] { session.step(3); });
  session.clear();
  EXPECT_EQ(session.step(1).size(), 300U);
  options.activation_bits = 8;
  save_weights(Transformer(options), directory / "m.safetensors");
  expect_error(ErrorCode::unsupported, "activation_bits", [&] { load({.heads = 4}); });
  save_weights(EfficientNet({.classes = 2}), directory / "m.safetensors");
  expect_error(ErrorCode::format, "embedding.weight", [&] { load({.heads = 4}); });
}

TEST(Running, EfficientNetsAreThoseOfLibTorch) {
  torch::manual_seed(6);
  EfficientNet model({.variant = EfficientNetVariant::b0, .classes = 30});
  vary(model);
  model.eval();
  const TemporaryDirectory directory;
  save_weights(model, directory / "m.safetensors");
  const torch::NoGradGuard no_gradient;
  const torch::Tensor images = torch::randn({2, 3, 65, 96});
  Matrix<float> rows(2, 3 * 65 * 96);
  std::copy_n(images.data_ptr<float>(), rows.size(), rows.data());
  const Matrix<float> logits = run::load_image_network(directory / "m.safetensors").classify(rows, 65, 96);
  EXPECT_LE(largest_error(tensor(logits), model.forward(images)), 1e-5);
}

}  // namespace
}  // namespace parsimony::models::running_test
