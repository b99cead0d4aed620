#include "parsimony/run/generate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <span>

#include "expect_error.hpp"
#include "largest_error.hpp"
#include "parsimony/quant/compress.hpp"
#include "small_efficientnet.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::generate_test {
namespace {

// Tokens are bytes.
void write_language_model(const std::filesystem::path& path, std::int64_t vocabulary = 256,
                          const std::string& without = "") {
  constexpr std::int64_t kWidth = 16, kInner = 24;
  std::vector<NamedShape> shapes{
      {"embedding.weight", {vocabulary, kWidth}}, {"norm.weight", {kWidth}}, {"norm.bias", {kWidth}}};
  const auto linear = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    shapes.push_back({name + ".weight", {outputs, inputs}});
    shapes.push_back({name + ".bias", {outputs}});
  };
  for (const char* layer : {"layers.0.", "layers.1."}) {
    const std::string name = layer;
    for (const char* part : {"query", "key", "value", "output"})
      linear(name + "attention." + part, kWidth, kWidth);
    linear(name + "feed_forward.0", kInner, kWidth);
    linear(name + "feed_forward.2", kWidth, kInner);
    for (const char* norm : {"attention_norm", "feed_forward_norm"}) {
      shapes.push_back({name + norm + ".weight", {kWidth}});
      shapes.push_back({name + norm + ".bias", {kWidth}});
    }
  }
  std::erase_if(shapes, [&](const NamedShape& shape) { return shape.name == without; });
  write_reference_tensors(path, shapes);
}

std::vector<float> to_vector(std::span<const float> values) {
  return {values.begin(), values.end()};
}

TEST(Generate, TakesTheMostProbableToken) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file);
  GenerateOptions options{.input = {.language = {.heads = 2}, .generate = 6}};
  const GeneratedText made = generate(file, "ab", options);
  ASSERT_EQ(made.tokens.size(), 8U);
  EXPECT_EQ(made.text.substr(0, 2), "ab");
  LanguageSession session(load_language_model(file, {.heads = 2}));
  for (std::size_t i = 0; i + 1 < made.tokens.size(); ++i) {
    const auto logits = session.step(made.tokens[i]);
    if (i == 0) continue;
    EXPECT_EQ(made.tokens[i + 1], std::max_element(logits.begin(), logits.end()) - logits.begin()) << i;
  }
  EXPECT_EQ(made.report.figure<std::int64_t>("tokens"), 8);
}

// More tokens than run side by side at once.
TEST(Generate, TokensSideBySideGiveTheLogitsOfStepsForAnyThreads) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file);
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < 150; ++i) tokens.push_back(i * 37 % 256);
  const LanguageModel network = load_language_model(file, {.heads = 2, .context = 160});
  LanguageSession steps(network);
  std::vector<float> right;
  for (const std::int32_t token : tokens) right = to_vector(steps.step(token));
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    const Context context(threads);
    LanguageSession session(network, context);
    session.add(std::span(tokens).first(3), context);
    const std::vector<float> logits = to_vector(session.add(std::span(tokens).subspan(3), context));
    EXPECT_EQ(session.tokens(), 150);
    EXPECT_LE(largest_error(logits, right), 1e-5);
    if (threads == 1) first = logits;
    EXPECT_EQ(logits, first) << threads;
  }
}

// The softmax by its definition, over the logits of one step after the other.
TEST(Generate, LogProbabilitiesAreThoseOfStepsForAnyThreads) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file);
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < 151; ++i) tokens.push_back(i * 37 % 256);
  const std::span<const std::int32_t> all(tokens);
  const LanguageModel network = load_language_model(file, {.heads = 2, .context = 150});
  LanguageSession steps(network);
  std::vector<float> right;
  for (std::int64_t i = 0; i < 150; ++i) {
    const std::vector<float> logits = to_vector(steps.step(tokens[i]));
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    right.push_back(static_cast<float>(logits[tokens[i + 1]] - std::log(sum)));
  }
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    const Context context(threads);
    LanguageSession session(network, context);
    std::vector<float> found = session.log_probabilities(all.first(100), all.subspan(1, 100), context);
    for (const float more : session.log_probabilities(all.subspan(100, 50), all.subspan(101, 50), context)) {
      found.push_back(more);  // the same text goes on
    }
    EXPECT_EQ(session.tokens(), 150);
    EXPECT_LE(largest_error(found, right), 1e-5);
    if (threads == 1) first = found;
    EXPECT_EQ(found, first) << threads;
    expect_error(ErrorCode::invalid_argument, "150 are taken, and 1 more",
                 [&] { session.log_probabilities(all.first(1), all.first(1), context); });
    expect_error(ErrorCode::invalid_argument, "following: are 2; must be as many as the tokens, 1",
                 [&] { session.log_probabilities(all.first(1), all.first(2), context); });
    EXPECT_EQ(session.tokens(), 150);
  }
}

TEST(Generate, ARefusedTextLeavesTheTextBefore) {
  const TemporaryDirectory directory;
  write_language_model(directory / "m.safetensors");
  LanguageSession session(load_language_model(directory / "m.safetensors", {.heads = 2, .context = 4}));
  session.step(7);
  const std::vector<std::int32_t> unknown{1, 256}, long_text{1, 2, 3, 4};
  expect_error(ErrorCode::invalid_argument, "token: is 256", [&] { session.add(unknown); });
  expect_error(ErrorCode::invalid_argument, "1 are taken, and 4 more", [&] { session.add(long_text); });
  expect_error(ErrorCode::invalid_argument, "there are none", [&] { session.add({}); });
  EXPECT_EQ(session.tokens(), 1);
}

TEST(Generate, DrawsDependOnTheSeedAlone) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file);
  const auto tokens = [&](std::uint64_t seed, double temperature, int threads) {
    return generate(file, "a",
                    {.input = {.language = {.heads = 2},
                               .generate = 12,
                               .temperature = temperature,
                               .seed = seed}},
                    Context(threads))
        .tokens;
  };
  EXPECT_EQ(tokens(1, 2, 1), tokens(1, 2, 3));
  EXPECT_NE(tokens(1, 2, 1), tokens(2, 2, 1));
  EXPECT_EQ(tokens(1, 1e-6, 1), tokens(2, 0, 1));  // a low temperature takes the most probable one
}

TEST(Generate, RefusesWhatDoesNotFit) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file);
  const auto run = [&](const char* prompt, std::int64_t count, std::int64_t context) {
    generate(file, prompt, {.input = {.language = {.heads = 2, .context = context}, .generate = count}});
  };
  expect_error(ErrorCode::invalid_argument, "is empty", [&] { run("", 3, 8); });
  expect_error(ErrorCode::invalid_argument, "has 9 tokens", [&] { run("abc", 6, 8); });
  run("abc", 5, 8);
  write_language_model(file, 300);
  expect_error(ErrorCode::format, "has no tokenizer", [&] { run("abc", 2, 8); });
}

// As parsimony train reads them: four special tokens, then the words of dict.txt.
TEST(Generate, TakesTheWordsOfADictionary) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.safetensors";
  write_language_model(file, 8);
  std::ofstream(directory / "dict.txt") << "the 9\ncat 5\nsat 4\nmat 1\n";
  GenerateOptions options{.input = {.language = {.heads = 2}, .generate = 5}};
  const GeneratedText made = generate(file, "the dog\nthe cat", options);
  ASSERT_EQ(made.tokens.size(), 10U);
  const std::vector<std::int32_t> prompt(made.tokens.begin(), made.tokens.begin() + 5);
  EXPECT_EQ(prompt, (std::vector<std::int32_t>{4, 3, 2, 4, 5}));
  EXPECT_TRUE(made.text.starts_with("the <unk>\nthe cat")) << made.text;
  const LanguageTokens tokens = load_language_tokens(directory.path(), 8);
  EXPECT_EQ(tokens.encode("the cat\n"), (std::vector<std::int32_t>{4, 5, 2}));
  EXPECT_EQ(tokens.decode(tokens.encode("the cat\nsat")), "the cat\nsat");

  std::ofstream(directory / "dict.txt", std::ios::app) << "more 1\n";
  expect_error(ErrorCode::format, "dict.txt: the tokenizer has 9 tokens, and the network 8",
               [&] { generate(file, "the", options); });
}

// A block counts by any of its tensors, so that no norm is taken for the end of the network.
TEST(Generate, NamesTheTensorThatIsMissing) {
  const TemporaryDirectory directory;
  for (const std::string name : {"layers.0.attention_norm.weight", "layers.1.attention_norm.weight",
                                 "layers.1.feed_forward.2.bias", "norm.bias"}) {
    write_language_model(directory / "m.safetensors", 256, name);
    expect_error(ErrorCode::format, "tensor '" + name + "': is missing",
                 [&] { load_language_model(directory / "m.safetensors", {.heads = 2}); });
  }
}

// Square weights of other axes would give the product with their transpose.
TEST(Generate, RefusesCodesByAnotherDimension) {
  const TemporaryDirectory directory;
  write_language_model(directory / "m.safetensors");
  const SafetensorsFile model(directory / "m.safetensors");
  const auto coded = [&](const std::string& axis) {
    quant::compress(model, directory / "c.safetensors", {.scheme = "int8", .axis = axis});
    return load_language_model(directory / "c.safetensors", {.heads = 2}).in_codes();
  };
  EXPECT_GT(coded("auto"), 0);
  expect_error(ErrorCode::format, "has codes by another dimension", [&] { coded("attention=1"); });
}

// The file is mapped, and a change of it changes the weights.
TEST(Generate, AFileThatChangesEndsTheText) {
  const TemporaryDirectory directory;
  write_language_model(directory / "m.safetensors");
  LanguageSession session(load_language_model(directory / "m.safetensors", {.heads = 2}));
  session.step(97);
  std::ofstream(directory / "m.safetensors", std::ios::app) << ' ';
  expect_error(ErrorCode::io, "m.safetensors", [&] { session.step(98); });
}

}  // namespace
}  // namespace parsimony::run::generate_test
