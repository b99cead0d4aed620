#include "parsimony/models/compress_for_texts.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/models/bert.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::compress_for_texts_test {
namespace {

const char* const kConfig = R"({"model_type": "bert", "vocab_size": 10, "max_position_embeddings": 16,
  "type_vocab_size": 2, "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2,
  "intermediate_size": 64, "hidden_dropout_prob": 0})";

// A network of random weights of which the activations have means, and texts of equal length.
class CompressForTexts : public testing::Test {
 protected:
  CompressForTexts() {
    torch::manual_seed(3);
    directory.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\ngreen\nblue\nis\nnot\n");
    config = directory.file("config.json", kConfig);
    BertOptions options = read_bert_config(config, EncoderHead::classification);
    options.classes = 3;
    network = std::make_shared<Bert>(options);
    const torch::NoGradGuard no_gradient;
    for (auto& parameter : network->parameters()) parameter.add_(torch::randn_like(parameter) * 0.3);
    network->eval();
    save_weights(*network, model);
    correction.texts =
        directory.file("texts.txt", "red is green\nblue not red\n\nis is not\ngreen green blue\n");
    correction.config = config;
  }

  // Mean outputs of the first layer's query over all tokens of the texts.
  torch::Tensor mean_of_first_layer(const std::filesystem::path& file) {
    Bert other(network->options());
    load_weights(other, file);
    const auto parameters = other.named_parameters();
    const std::string layer = "bert.encoder.layer.0.attention.self.query";
    return torch::linear(first_inputs(), parameters[layer + ".weight"], parameters[layer + ".bias"])
        .flatten(0, 1)
        .mean(0);
  }
  // The first layer reads the embeddings, which stay floats: they are the same in all networks.
  torch::Tensor first_inputs() {
    const auto tensors = network->named_parameters();
    const torch::Tensor tokens =
        torch::tensor({{2, 5, 8, 6, 3}, {2, 7, 9, 5, 3}, {2, 8, 8, 9, 3}, {2, 6, 6, 7, 3}}, torch::kLong);
    const std::string e = "bert.embeddings.";
    const torch::Tensor sum = torch::embedding(tensors[e + "word_embeddings.weight"], tokens) +
                              tensors[e + "position_embeddings.weight"].slice(0, 0, 5) +
                              tensors[e + "token_type_embeddings.weight"][0];
    return torch::layer_norm(sum, {32}, tensors[e + "LayerNorm.weight"], tensors[e + "LayerNorm.bias"],
                             network->options().norm_epsilon);
  }

  TemporaryDirectory directory;
  std::filesystem::path config, model = directory / "model.safetensors",
                                small = directory / "small.safetensors";
  std::shared_ptr<Bert> network;
  TextCorrectionOptions correction;
};

// The mean output of a layer that reads exact inputs is that of the float network.
TEST_F(CompressForTexts, KeepsTheMeansOfOutputs) {
  const torch::NoGradGuard no_gradient;
  quant::CompressOptions options;
  options.scheme = "int2";
  options.exclude = ".*embeddings.*";
  const quant::Compression made = compress_for_texts(model, small, options, correction);
  const torch::Tensor exact = mean_of_first_layer(model), corrected = mean_of_first_layer(small);
  EXPECT_LT((exact - corrected).abs().max().item<double>(), 1e-4);
  const auto plain = directory / "plain.safetensors";
  quant::compress(model, plain, options);
  EXPECT_GT((exact - mean_of_first_layer(plain)).abs().max().item<double>(), 1e-2);
  // 6 linear layers in each of 2 layers, pooler and classifier.
  for (const auto& [name, value] : made.report.figures) {
    if (name == "corrected_tensors") {
      EXPECT_EQ(std::get<std::int64_t>(value), 14);
    }
    if (name == "texts") {
      EXPECT_EQ(std::get<std::int64_t>(value), 4);
    }
  }
}

TEST_F(CompressForTexts, RefusesWhatDoesNotFit) {
  const quant::CompressOptions options;
  correction.max_length = 17;
  directory.file("long.txt", "red red red red red red red red red red red red red red red red red\n");
  correction.texts = directory / "long.txt";
  expect_error(ErrorCode::invalid_argument, "must be at most 16",
               [&] { compress_for_texts(model, small, options, correction); });
  correction.texts = directory.file("empty.txt", "\n\n");
  expect_error(ErrorCode::invalid_argument, "has no line of text",
               [&] { compress_for_texts(model, small, options, correction); });
  EXPECT_FALSE(std::filesystem::exists(small));
}

}  // namespace
}  // namespace parsimony::models::compress_for_texts_test
