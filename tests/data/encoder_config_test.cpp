#include "parsimony/data/encoder_config.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::encoder_config_test {
namespace {

const std::string kText = R"({"model_type": "roberta", "vocab_size": 50265, "max_position_embeddings": 514,
    "type_vocab_size": 1, "num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16,
    "intermediate_size": 4096, "layer_norm_eps": 1e-05, "pad_token_id": 1, "hidden_act": "gelu",
    "id2label": {"1": "b", "0": "a", "2": "c"}, "unknown": [1]})";

TEST(EncoderConfig, IsThatOfTransformers) {
  const TemporaryDirectory directory;
  const EncoderConfig config = read_encoder_config(directory.file("config.json", kText));
  EXPECT_EQ(config.kind, EncoderKind::roberta);
  EXPECT_EQ(config.layers, 24);
  EXPECT_EQ(config.width, 1024);
  EXPECT_EQ(config.feed_forward, 4096);
  EXPECT_EQ(config.longest_text(), 512);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
  EXPECT_EQ(config.labels, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(EncoderConfig, NamesTheKeyThatIsWrong) {
  const TemporaryDirectory directory;
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = kText;
    other.replace(other.find(from), from.size(), to);
    read_encoder_config(directory.file("other.json", other));
  };
  expect_error(ErrorCode::format, "\"vocab_size\" is missing", [&] { changed("vocab_size", "vocab"); });
  expect_error(ErrorCode::format, "\"hidden_size\" is -4", [&] { changed("1024", "-4"); });
  expect_error(ErrorCode::format, "\"hidden_size\" is 1e+300", [&] { changed("1024", "1e300"); });
  expect_error(ErrorCode::format, "multiple of the 7 heads", [&] { changed("16", "7"); });
  expect_error(ErrorCode::format, "must be a whole number of 1 to 1024", [&] { changed("24", "0"); });
  expect_error(ErrorCode::format, "must be at least 3", [&] { changed("514", "2"); });
  expect_error(ErrorCode::format, "must be a number of 0 to 1", [&] { changed("1e-05", "-1"); });
  expect_error(ErrorCode::format, "no text under \"2\"", [&] { changed("\"2\"", "\"7\""); });
  expect_error(ErrorCode::unsupported, "gelu_new", [&] { changed("\"gelu\"", "\"gelu_new\""); });
  expect_error(ErrorCode::unsupported, "gpt2", [&] { changed("roberta", "gpt2"); });
  for (std::size_t end = 0; end < kText.size(); end += 7) {
    EXPECT_THROW(read_encoder_config(directory.file("cut.json", kText.substr(0, end))), Error);
  }
}

}  // namespace
}  // namespace parsimony::data::encoder_config_test
