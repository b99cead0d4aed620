#include "parsimony/models/bert.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/models/weights.hpp"
#include "places.hpp"
#include "reference_values.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::bert_test {
namespace {

torch::Tensor ids_of(const nlohmann::json& rows) {
  std::vector<std::int64_t> all;
  for (const auto& row : rows) {
    for (const auto& id : row) all.push_back(id.get<std::int64_t>());
  }
  return torch::tensor(all, torch::kLong).view({static_cast<std::int64_t>(rows.size()), -1});
}

BertOptions small(EncoderFamily family, EncoderHead head) {
  const bool roberta = family == EncoderFamily::roberta;
  return {.family = family,
          .head = head,
          .vocabulary = 97,
          .positions = 20,
          .token_types = roberta ? 1 : 2,
          .layers = 2,
          .width = 24,
          .heads = 4,
          .feed_forward = 40,
          .padding_token = roberta ? 1 : 0,
          .classes = 3,
          .norm_epsilon = roberta ? 1e-5 : 1e-12};
}

void fill(Bert& model, const std::string& family) {
  fill_with_reference(model);
  if (model.options().head != EncoderHead::masked_language) return;
  const torch::NoGradGuard no_gradient;  // tied tensors have the values of their first name
  const std::string words = family + ".embeddings.word_embeddings.weight";
  auto parameters = model.named_parameters();
  parameters[words].copy_(reference_tensor(words, parameters[words].sizes().vec()));
  const std::string bias = family == "bert" ? "cls.predictions.bias" : "lm_head.bias";
  parameters[bias].copy_(reference_tensor("decoder.bias", parameters[bias].sizes().vec()));
}

// references/bert.py computed the outputs by transformers, for texts of three lengths with padding.
TEST(Bert, OutputsAreThoseOfTransformers) {
  const torch::NoGradGuard no_gradient;
  const nlohmann::json figures = reference_figures("bert.json");
  for (const auto& run : figures["runs"]) {
    const std::string family = run["family"], head = run["head"];
    SCOPED_TRACE(family + " " + head);
    Bert model(small(family == "bert" ? EncoderFamily::bert : EncoderFamily::roberta,
                     head == "none"             ? EncoderHead::none
                     : head == "classification" ? EncoderHead::classification
                                                : EncoderHead::masked_language));
    fill(model, family);
    model.eval();
    torch::Tensor out = model.forward(ids_of(run["tokens"]), ids_of(run["types"]));
    if (head == "masked-language") out = out.slice(1, 0, 2);
    EXPECT_LE(reference_error(out.contiguous(), run["output"]), 1e-4);
  }
  EXPECT_EQ(figures["runs"].size(), 5);
}

// Padding neither changes the other positions nor becomes NaN where nothing else is there.
TEST(Bert, PaddingIsNotSeen) {
  const torch::NoGradGuard no_gradient;
  for (const EncoderFamily family : {EncoderFamily::bert, EncoderFamily::roberta}) {
    Bert model(small(family, EncoderHead::none));
    fill_with_reference(model);
    model.eval();
    const std::int64_t padding = model.options().padding_token;
    const torch::Tensor text = torch::tensor({{5, 9, 33, 4}}, torch::kLong);
    const torch::Tensor longer = torch::constant_pad_nd(text, {0, 5}, padding);
    const torch::Tensor apart = model.encode(text) - model.encode(longer).slice(1, 0, 4);
    EXPECT_LE(apart.abs().max().item<float>(), 1e-5);
    EXPECT_TRUE(model.encode(torch::full({1, 3}, padding, torch::kLong)).isfinite().all().item<bool>());
  }
}

// A file has the tied weight once, under either name.
TEST(Bert, TiedWeightsSurviveAFile) {
  const TemporaryDirectory directory;
  const BertOptions options = small(EncoderFamily::roberta, EncoderHead::masked_language);
  Bert first(options), second(options);
  save_weights(first, directory / "w.safetensors");
  load_weights(second, directory / "w.safetensors");
  const auto a = first.named_parameters(), b = second.named_parameters();
  for (const auto& item : a) EXPECT_TRUE(torch::equal(item.value(), b[item.key()])) << item.key();
  EXPECT_TRUE(b["lm_head.decoder.weight"].is_same(b["roberta.embeddings.word_embeddings.weight"]));
}

TEST(Bert, HasThePublishedNumberOfParameters) {
  Bert model({.family = EncoderFamily::roberta,
              .head = EncoderHead::classification,
              .vocabulary = 50265,
              .positions = 514,
              .token_types = 1,
              .layers = 2,
              .padding_token = 1,
              .classes = 3});
  std::int64_t count = 0, layer = 0;
  for (const auto& item : model.named_parameters()) {
    count += item.value().numel();
    if (item.key().find("layer.0.") != item.key().npos) layer += item.value().numel();
  }
  EXPECT_EQ(count + 10 * layer, 124647939) << "RoBERTa-base has 12 layers";
}

TEST(Bert, RefusesWhatItDoesNotHave) {
  Bert model(small(EncoderFamily::bert, EncoderHead::none));
  const auto encode = [&](std::vector<std::int64_t> ids) {
    const auto count = std::ssize(ids);
    model.encode(torch::tensor(ids, torch::kLong).view({1, count}));
  };
  expect_error(ErrorCode::invalid_argument, "must be in 0 to 96", [&] { encode({3, 97}); });
  expect_error(ErrorCode::invalid_argument, "one is -1", [&] { encode({3, -1}); });
  expect_error(ErrorCode::invalid_argument, "must be at most 20",
               [&] { encode(std::vector<std::int64_t>(21, 5)); });
  expect_error(ErrorCode::invalid_argument, "multiple of the 5 heads", [] { Bert({.heads = 5}); });
}

TEST(BertConfig, IsThatOfTransformers) {
  const TemporaryDirectory directory;
  const std::string text = R"({"model_type": "roberta", "vocab_size": 50265, "max_position_embeddings": 514,
    "type_vocab_size": 1, "num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16,
    "intermediate_size": 4096, "layer_norm_eps": 1e-05, "pad_token_id": 1, "hidden_act": "gelu",
    "id2label": {"0": "a", "1": "b", "2": "c"}, "unknown": [1]})";
  const BertOptions options =
      read_bert_config(directory.file("config.json", text), EncoderHead::classification);
  EXPECT_EQ(options.family, EncoderFamily::roberta);
  EXPECT_EQ(options.layers, 24);
  EXPECT_EQ(options.width, 1024);
  EXPECT_EQ(options.positions, 514);
  EXPECT_EQ(options.padding_token, 1);
  EXPECT_EQ(options.classes, 3);
  EXPECT_EQ(options.norm_epsilon, 1e-5);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    read_bert_config(directory.file("other.json", other));
  };
  expect_error(ErrorCode::format, "\"vocab_size\" is missing", [&] { changed("vocab_size", "vocab"); });
  expect_error(ErrorCode::format, "\"hidden_size\" is -4", [&] { changed("1024", "-4"); });
  expect_error(ErrorCode::format, "multiple of the 7 heads", [&] { changed("16", "7"); });
  expect_error(ErrorCode::format, "layers", [&] { changed("24", "0"); });
  expect_error(ErrorCode::unsupported, "gelu_new", [&] { changed("\"gelu\"", "\"gelu_new\""); });
  expect_error(ErrorCode::unsupported, "gpt2", [&] { changed("roberta", "gpt2"); });
  for (std::size_t end = 0; end < text.size(); end += 7) {
    EXPECT_THROW(read_bert_config(directory.file("cut.json", text.substr(0, end))), Error);
  }
}

TEST(BertData, HiddenStatesOfMiniLmAreThoseOfTransformers) {
  const std::filesystem::path folder = places::data_folder() / "minilm";
  const auto weights = folder / "all-minilm-l6-v2-fp16.safetensors";
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << weights << " is missing";
  Bert model(read_bert_config(folder / "config.json"));
  load_weights(model, weights);
  model.eval();
  const torch::NoGradGuard no_gradient;
  const nlohmann::json reference = reference_figures("bert.json")["minilm"];
  const torch::Tensor hidden = model.encode(ids_of(reference["tokens"]));
  EXPECT_LE(reference_error(hidden.slice(2, 0, 384, 16).contiguous(), reference["hidden"]), 1e-4);
}

}  // namespace
}  // namespace parsimony::models::bert_test
