// The functions for programs in C, and the example that embeds them.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "c/parsimony_run.h"
#include "parsimony/run/texts.hpp"
#include "places.hpp"
#include "reference_weights.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::c_interface_test {
namespace {

std::string lettered_model(const TemporaryDirectory& directory, bool head) {
  write_small_network(directory / "m", {}, "bert.", head);
  std::ofstream vocabulary(directory / "m" / "vocab.txt");
  vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary << letter << "\n";
  return (directory / "m").string();
}

TEST(CInterface, GivesTheVectorsAndScoresOfTheLibrary) {
  const TemporaryDirectory directory;
  const std::string model = lettered_model(directory, true);
  std::array<char, 200> error{};
  parsimony_run* run = parsimony_run_open(model.c_str(), nullptr, 1, error.data(), error.size());
  ASSERT_NE(run, nullptr) << error.data();
  ASSERT_EQ(parsimony_run_width(run), 24u);
  ASSERT_EQ(parsimony_run_classes(run), 3u);
  const std::array<const char*, 2> texts{"a c", "b"};
  std::vector<float> vectors(2 * 24), scores(2 * 3);
  EXPECT_EQ(parsimony_run_embed(run, texts.data(), 2, vectors.data(), error.data(), error.size()), 0);
  EXPECT_EQ(parsimony_run_classify(run, texts.data(), 2, scores.data(), error.data(), error.size()), 0);
  const TextRun right =
      run_texts(model, std::vector<std::string>{"a c", "b"}, {.result = TextResult::vectors}, Context(1));
  for (std::int64_t i = 0; i < right.vectors.size(); ++i) EXPECT_EQ(vectors[i], right.vectors.data()[i]);
  const TextRun classes = run_texts(model, std::vector<std::string>{"a c", "b"}, {}, Context(1));
  EXPECT_NEAR(std::log(classes.probabilities(1, 2) / classes.probabilities(1, 0)), scores[5] - scores[3],
              1e-5);

  const std::array<const char*, 1> none{nullptr};
  EXPECT_NE(parsimony_run_embed(run, none.data(), 1, vectors.data(), error.data(), error.size()), 0);
  EXPECT_EQ(std::string(error.data()), "text 0: is NULL");
  parsimony_run_close(run);
  parsimony_run_close(nullptr);
}

TEST(CInterface, TellsItsMistakesInTheMemoryThatItGets) {
  std::array<char, 8> error{};
  error.back() = 'x';
  EXPECT_EQ(parsimony_run_open("/nowhere/m.safetensors", nullptr, 1, error.data(), error.size() - 1),
            nullptr);
  EXPECT_EQ(std::string(error.data()).size(), 6u);
  EXPECT_EQ(error.back(), 'x');
  EXPECT_EQ(parsimony_run_open(nullptr, nullptr, 1, nullptr, 0), nullptr);
  EXPECT_EQ(parsimony_run_open("m", nullptr, -1, nullptr, 0), nullptr);
}

TEST(CInterface, TheExampleInCPrintsTheCosineOfTwoTexts) {
  const TemporaryDirectory directory;
  const std::string model = lettered_model(directory, false), out = (directory / "out").string();
  const auto start = [&](const std::string& words) {
    return std::system((places::example("embed") + " " + words + " >" + out + " 2>&1").c_str());
  };
  ASSERT_EQ(start(model + " 'a c' b"), 0) << TemporaryDirectory::content(out);
  const TextRun right = run_texts(model, std::vector<std::string>{"a c", "b"}, {}, Context(1));
  EXPECT_NEAR(std::stod(TemporaryDirectory::content(out)), right.similarities[1], 5.1e-5);
  EXPECT_NE(start((directory / "none").string() + " a b"), 0);
  EXPECT_NE(TemporaryDirectory::content(out).find("embed: "), std::string::npos);
}

}  // namespace
}  // namespace parsimony::run::c_interface_test
