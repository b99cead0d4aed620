#include "parsimony/run/texts.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.hpp"
#include "reference_weights.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::texts_test {
namespace {

// [PAD], [UNK], [CLS], [SEP], [MASK] and the letters: token 5 is a.
std::string letters() {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char letter = 'a'; letter <= 'z'; ++letter) text += std::string(1, letter) + "\n";
  return text;
}

std::filesystem::path small_model(const TemporaryDirectory& directory, bool head = false) {
  write_small_network(directory / "m", {}, "bert.", head);
  std::ofstream(directory / "m" / "vocab.txt") << letters();
  return directory / "m";
}

TEST(Texts, VectorsAreThoseOfTheirTokens) {
  const TemporaryDirectory directory;
  const auto model = small_model(directory);
  const std::vector<std::string> texts{"a c", "B", "a c"};
  const TextRun made = run_texts(model, texts);
  const std::vector<data::EncodedText> tokens{{{2, 5, 7, 3}, {}}, {{2, 6, 3}, {}}, {{2, 5, 7, 3}, {}}};
  Session session(load(model));
  const Matrix<float> right = session.embed(tokens);
  ASSERT_EQ(made.vectors.rows(), 3);
  for (std::int64_t i = 0; i < right.size(); ++i) EXPECT_EQ(made.vectors.data()[i], right.data()[i]);
  EXPECT_EQ(made.tokens, (std::vector<std::int64_t>{4, 3, 4}));
  EXPECT_NEAR(made.similarities[0], 1, 1e-6);
  EXPECT_NEAR(made.similarities[2], 1, 1e-6);
  double product = 0;
  for (std::int64_t j = 0; j < right.cols(); ++j) product += right(0, j) * right(1, j);
  EXPECT_NEAR(made.similarities[1], product, 1e-6);
  EXPECT_EQ(made.report.figure<std::int64_t>("tokens"), 11);
}

TEST(Texts, ClassesAreProbabilitiesOfTextsAndPairs) {
  const TemporaryDirectory directory;
  const auto model = small_model(directory, true);
  const TextRun alone = run_texts(model, std::vector<std::string>{"a b", "c"});
  ASSERT_EQ(alone.probabilities.cols(), 3);
  EXPECT_EQ(alone.labels, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(alone.vectors.rows(), 0);
  for (std::int64_t r = 0; r < 2; ++r) {
    float sum = 0;
    for (const float value : alone.probabilities.row(r)) sum += value;
    EXPECT_NEAR(sum, 1, 1e-6);
  }
  const TextRun pairs = run_pairs(model, std::vector<std::pair<std::string, std::string>>{{"a b", "c"}});
  EXPECT_EQ(pairs.tokens, std::vector<std::int64_t>{6});
  // The scores of both texts at once, with types 0 and 1.
  Session session(load(model));
  const data::EncodedText text{{2, 5, 6, 3, 7, 3}, {0, 0, 0, 0, 1, 1}};
  const Matrix<float> scores = session.classify(std::span(&text, 1));
  EXPECT_NEAR(std::log(pairs.probabilities(0, 0) / pairs.probabilities(0, 1)), scores(0, 0) - scores(0, 1),
              1e-5);
  EXPECT_EQ(run_texts(model, std::vector<std::string>{"a"}, {.result = TextResult::vectors}).vectors.rows(),
            1);
}

TEST(Texts, PairsHaveTheCosineOfTheirVectors) {
  const TemporaryDirectory directory;
  const auto model = small_model(directory);
  const TextRun pairs =
      run_pairs(model, std::vector<std::pair<std::string, std::string>>{{"a b", "c"}, {"d", "d"}});
  const TextRun texts = run_texts(model, std::vector<std::string>{"a b", "c"});
  ASSERT_EQ(pairs.similarities.size(), 2u);
  EXPECT_NEAR(pairs.similarities[0], texts.similarities[1], 1e-6);
  EXPECT_NEAR(pairs.similarities[1], 1, 1e-6);
}

TEST(Texts, LongTextsLoseTheirEnds) {
  const TemporaryDirectory directory;
  const auto model = small_model(directory);
  const std::string text(60, 'a');
  std::string spaced;
  for (const char letter : text) spaced += std::string(1, letter) + " ";
  Context context;
  std::string logged;
  context.on_log = [&](LogLevel, std::string_view line) { logged = line; };
  const TextRun cut = run_texts(model, std::vector<std::string>{spaced, "b"}, {}, context);
  EXPECT_EQ(cut.tokens[0], 20);
  EXPECT_EQ(cut.report.figure<std::int64_t>("shortened_texts"), 1);
  EXPECT_NE(logged.find("1 of 2 texts has more than 20 tokens: its end is cut off"), std::string::npos)
      << logged;
  EXPECT_EQ(run_texts(model, std::vector<std::string>{spaced}, {.max_tokens = 5}).tokens[0], 5);
}

TEST(Texts, RefuseWhatDoesNotFit) {
  const TemporaryDirectory directory;
  const auto model = small_model(directory);
  expect_error(ErrorCode::invalid_argument, "must be at least one",
               [&] { run_texts(model, std::vector<std::string>{}); });
  expect_error(ErrorCode::invalid_argument, "has no classification head",
               [&] { run_texts(model, std::vector<std::string>{"a"}, {.result = TextResult::classes}); });
  std::string many = letters();
  for (int i = 0; i < 100; ++i) many += "word" + std::to_string(i) + "\n";
  std::ofstream(model / "vocab.txt") << many;
  expect_error(ErrorCode::format, "the tokenizer has 131 tokens, and the network only 97",
               [&] { run_texts(model, std::vector<std::string>{"a"}); });
}

}  // namespace
}  // namespace parsimony::run::texts_test
