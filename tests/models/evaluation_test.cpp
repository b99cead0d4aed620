// Both engines of an evaluation give the same figures for the same file.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/files/zip.hpp"
#include "data/byte_pair_files.hpp"
#include "data/jpeg_file.hpp"
#include "expect_error.hpp"
#include "parsimony/models/recipe_run.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/run/network.hpp"
#include "parsimony/train/pruning.hpp"
#include "parsimony/train/task.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::evaluation_test {
namespace {

constexpr EvaluationOptions kExact{.engine = EvaluationEngine::run, .precision = run::Precision::exact};

class Evaluations : public ::testing::Test {
 protected:
  Recipe recipe(const std::string& name, const std::string& text) const {
    return read_recipe(directory_.file(name, text));
  }

  // The network of the task, with weights, norms and biases far from those of a new one.
  std::filesystem::path drawn(const Recipe& recipe, const std::string& name, double deviation) const {
    torch::manual_seed(11);
    const auto task = recipe.task->make(Purpose::training, nullptr, Context(1));
    if (recipe.plan.pruning) {
      task->keep_blocks(train::kept_blocks(task->blocks(), *recipe.plan.pruning));
    }
    const torch::NoGradGuard no_gradient;
    for (const auto& item : task->model().named_parameters()) {
      item.value().add_(torch::randn_like(item.value()), deviation);
    }
    save_weights(task->model(), directory_ / name);
    return directory_ / name;
  }

  std::filesystem::path in_codes(const std::filesystem::path& plain, const std::string& scheme) const {
    const std::filesystem::path compact = plain.string() + "-" + scheme + ".safetensors";
    quant::compress(plain, compact, {.scheme = scheme}, Context(1));
    return compact;
  }

  // Returns the figures.
  static std::map<std::string, double> expect_alike(const Recipe& recipe, const std::filesystem::path& file) {
    const Evaluation right = evaluate_recipe(recipe, file, {}, Context(1)),
                     found = evaluate_recipe(recipe, file, kExact, Context(2));
    EXPECT_EQ(right.figures.size(), found.figures.size());
    for (const auto& [name, value] : right.figures) {
      EXPECT_TRUE(std::isfinite(value));
      EXPECT_NEAR(found.figures.at(name), value, 1e-4 * std::abs(value)) << name << " of " << file;
    }
    for (const Report& report : {right.report, found.report}) {
      EXPECT_EQ(report.stages.size(), 3);
      EXPECT_EQ(report.figures.size(), right.figures.size());
    }
    return right.figures;
  }

  // For a plain file and for compact ones, whose figures differ from those of the plain file.
  void expect_all_alike(const Recipe& recipe, const std::filesystem::path& plain, const char* figure) const {
    const double of_plain = expect_alike(recipe, plain).at(figure);
    for (const char* scheme : {"int4", "pq8"}) {
      const double of_codes = expect_alike(recipe, in_codes(plain, scheme)).at(figure);
      EXPECT_GT(std::abs(of_codes - of_plain), 1e-3 * std::abs(of_plain)) << scheme;
    }
  }

  TemporaryDirectory directory_;
};

class SentenceEvaluations : public Evaluations {
 protected:
  SentenceEvaluations() {
    directory_.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\na\nfilm\nis\n");
    directory_.file("encoder.json", R"({"model_type": "bert", "vocab_size": 10, "max_position_embeddings": 16,
      "type_vocab_size": 2, "num_hidden_layers": 5, "hidden_size": 32, "num_attention_heads": 4,
      "intermediate_size": 48, "id2label": {"0": "other", "1": "names"}})");
    // Another config.json beside the weights, which the recipe does not name.
    directory_.file("config.json", "[");
    std::string labels = "sentence\tlabel\n", scores = "sentence1\tsentence2\tscore\n";
    const std::vector<std::string> texts{"a good film", "a bad film",     "film is good",  "is bad",  "good",
                                         "bad a film",  "good is a film", "a a a a a a a", "film bad"};
    for (std::size_t i = 0; i < texts.size(); ++i) {
      labels += texts[i] + (i % 2 == 0 ? "\tyes\n" : "\tno\n");
      scores += texts[i] + "\t" + texts[(5 * i + 3) % texts.size()] + "\t" + std::to_string(i) + "\n";
    }
    directory_.file("labels.tsv", labels);
    directory_.file("scores.tsv", scores);
  }

  Recipe sentences(const std::string& task, const std::string& more = "") const {
    return recipe("sentences.json",
                  R"({"task": {"kind": "sentences", "tokenizer": "vocab.txt", "config": "encoder.json", )" +
                      task + "}" + more + "}");
  }
};

TEST_F(SentenceEvaluations, OfClasses) {
  // Texts of more than 8 tokens are cut.
  const Recipe made =
      sentences(R"("texts": "labels.tsv", "held_out": "labels.tsv", "max_length": 8, "seed": 3)");
  const auto file = drawn(made, "m.safetensors", 0.2);
  expect_all_alike(made, file, "loss");
  EXPECT_TRUE(evaluate_recipe(made, file, kExact).figures.contains("matthews"));
}

TEST_F(SentenceEvaluations, OfSimilarities) {
  const Recipe labelled = sentences(R"("texts": "labels.tsv", "held_out": "labels.tsv", "max_length": 16)");
  const Recipe scored = sentences(R"("held_out": "scores.tsv", "target": "score", "max_length": 16)");
  // Without a head, as encoders are published.
  torch::manual_seed(2);
  Bert model(read_bert_config(directory_ / "encoder.json"));
  {
    const torch::NoGradGuard no_gradient;
    for (const auto& item : model.named_parameters()) item.value().add_(torch::randn_like(item.value()), 0.2);
  }
  save_weights(model, directory_ / "m.safetensors");
  const double found = expect_alike(scored, directory_ / "m.safetensors").at("spearman");
  EXPECT_NE(found, 0);
  expect_alike(scored, in_codes(directory_ / "m.safetensors", "int8"));
  expect_error(ErrorCode::format, "has classes: 0; the network of the task has 2",
               [&] { evaluate_recipe(labelled, directory_ / "m.safetensors", kExact); });
}

// The file has each pair of layers once, a compact one of train under both names.
TEST_F(SentenceEvaluations, OfSharedAndPrunedLayers) {
  const std::string task =
      R"("texts": "labels.tsv", "held_out": "labels.tsv", "max_length": 16, "share_adjacent": true)";
  const Recipe shared = sentences(task), pruned = sentences(task, R"(, "pruning": {"keep_every": 2})");
  const auto file = drawn(shared, "shared.safetensors", 0.2), left = drawn(pruned, "left.safetensors", 0.2);
  expect_all_alike(shared, file, "loss");
  expect_all_alike(pruned, left, "loss");
  expect_error(ErrorCode::format, "the network has 3 layers", [&] { evaluate_recipe(pruned, file, kExact); });
  expect_error(ErrorCode::format, "is missing", [&] { evaluate_recipe(shared, left, kExact); });
  const Recipe trained = sentences(task, R"(, "pruning": {"keep_every": 2},
    "training": {"steps": 2, "batch_size": 4, "learning_rate": 0.5},
    "ipq": {"stages": [".*"], "scheme": "integer", "bits": 8, "steps": 1})");
  expect_alike(trained, train_recipe(trained, directory_ / "out", false, Context(1)).model);
}

class LanguageEvaluations : public Evaluations {
 protected:
  LanguageEvaluations() {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "The quick brown fox " + std::to_string(i * i) + " jumps.\n";
    directory_.file("text.txt", text);
    // 91 bytes after the first: 15 windows of 6 and one of 1.
    directory_.file("held_out.txt", text.substr(200, 92));
  }

  Recipe language(const std::string& task, const std::string& more = "") const {
    return recipe("language.json",
                  R"({"task": {"kind": "language", "text": "text.txt", "held_out": "held_out.txt",
                      "layers": 5, "width": 32, "heads": 4, "feed_forward": 48, "context": 6, )" +
                      task + "}" + more + "}");
  }
};

TEST_F(LanguageEvaluations, OfBytes) {
  const Recipe made = language(R"("first_position": 2, "seed": 4)");
  expect_all_alike(made, drawn(made, "m.safetensors", 0.1), "perplexity");
  const Recipe part = recipe("part.json", R"({"task": {"kind": "language", "text": "text.txt", "layers": 1,
    "held_out_every": 2, "width": 8, "heads": 2, "feed_forward": 8, "context": 100}})");
  directory_.file("text.txt", [] {
    std::string lines;
    for (int i = 0; i < 250; ++i) lines += std::to_string(i) + "\n";
    return lines;
  }());
  EXPECT_GT(expect_alike(part, drawn(part, "p.safetensors", 0.3)).at("bits_per_byte"), 0);
}

TEST_F(LanguageEvaluations, OfBytePairs) {
  data::BytePairFiles(directory_, {{"o", "w"}, {"ow", "n"}, {" ", "q"}});
  const Recipe made = language(R"("encoder": "encoder.json", "merges": "vocab.bpe", "vocabulary": 300)");
  expect_alike(made, in_codes(drawn(made, "m.safetensors", 0.1), "int8"));
}

TEST_F(LanguageEvaluations, OfWordsInBands) {
  directory_.file("dict.txt", "The 9\njumps. 8\nfox 7\nbrown 6\n1 1\n4 1\n9 1\n16 1\n");
  const Recipe made = language(
      R"("dictionary": "dict.txt", "cutoffs": [5, 9], "final_norm": false, "tied_embeddings": true)");
  const auto file = drawn(made, "m.safetensors", 0.1);
  EXPECT_GT(expect_alike(made, file).at("unknown"), 0.1);
  expect_alike(made, in_codes(file, "int8"));
}

TEST_F(LanguageEvaluations, OfSharedAndPrunedLayers) {
  const Recipe shared = language(R"("share_adjacent": true)"),
               pruned = language(R"("share_adjacent": true)", R"(, "pruning": {"keep_every": 2})"),
               apart = language(R"("seed": 0)"),
               five = language(R"("share_adjacent": false)", R"(, "pruning": {"keep_every": 2})");
  const auto all = drawn(shared, "all.safetensors", 0.1), left = drawn(pruned, "left.safetensors", 0.1);
  expect_all_alike(shared, all, "perplexity");
  expect_all_alike(pruned, left, "perplexity");
  expect_alike(five, drawn(five, "five.safetensors", 0.1));
  // Three blocks can be five layers, so that only the recipe tells that they are not these five.
  expect_error(ErrorCode::format, "has blocks of layers: 3; the network of the task has 5",
               [&] { evaluate_recipe(apart, all, kExact); });
  expect_error(ErrorCode::format, "language.json: task.layers: is 3",
               [&] { evaluate_recipe(pruned, drawn(apart, "apart.safetensors", 0.1), kExact); });
}

TEST_F(LanguageEvaluations, RefuseOtherNetworks) {
  const Recipe made = language(R"("seed": 0)");
  const auto file = drawn(made, "m.safetensors", 0.1);
  const auto refused = [&](ErrorCode code, const std::string& piece, const std::string& task) {
    const Recipe other = language(task);
    expect_error(code, piece, [&] { evaluate_recipe(other, file, kExact); });
  };
  refused(ErrorCode::format, "has tokens: 256; the network of the task has 300", R"("vocabulary": 300)");
  refused(ErrorCode::format, "has final_norm true; the network of the task has false",
          R"("final_norm": false)");
  refused(ErrorCode::unsupported,
          "language.json: task.activation_bits: is 8; engine run has float activations",
          R"("activation_bits": 8)");
  expect_error(ErrorCode::invalid_argument, "precision: is integers8; option engine must be run",
               [&] { evaluate_recipe(made, file, {.precision = run::Precision::integers8}); });
}

// The record has the precision that was chosen, and integers are near.
TEST_F(LanguageEvaluations, InIntegersAreNear) {
  const Recipe made = language(R"("seed": 7)");
  const auto file = in_codes(drawn(made, "m.safetensors", 0.1), "int8");
  const Evaluation exact = evaluate_recipe(made, file),
                   one = evaluate_recipe(made, file, {.engine = EvaluationEngine::run}, Context(1)),
                   three = evaluate_recipe(made, file, {.engine = EvaluationEngine::run}, Context(3));
  const double right = exact.figures.at("perplexity"), found = one.figures.at("perplexity");
  EXPECT_NE(found, right);
  EXPECT_NEAR(found, right, 0.05 * right);
  EXPECT_EQ(three.figures, one.figures);
  const auto option = [](const Evaluation& made_, const std::string& name) {
    for (const auto& [known, value] : made_.report.options) {
      if (known == name) return std::get<std::string>(value);
    }
    return std::string();
  };
  EXPECT_EQ(option(exact, "engine"), "torch");
  EXPECT_EQ(option(exact, "precision"), "exact");
  EXPECT_EQ(option(one, "engine"), "run");
  EXPECT_TRUE(option(one, "precision") == "integers8" || option(one, "precision") == "integers7");
}

class ImageEvaluations : public Evaluations {
 protected:
  ImageEvaluations() {
    std::vector<std::pair<std::string, std::string>> members;
    for (int i = 0; i < 12; ++i) {
      const auto level = static_cast<std::uint8_t>(20 * i);
      const char* label = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
      for (const char* split : {"train", "test"}) {
        members.emplace_back(std::string(split) + "/" + label + "/" + std::to_string(i) + ".jpg",
                             data::jpeg(40, 48, {level, 90, 200}, {30, 220, level}));
      }
    }
    directory_.file("images.zip", make_zip(members));
  }

  Recipe images(const std::string& task) const {
    return recipe("images.json", R"({"task": {"kind": "images", "archive": "images.zip", )" + task + "}}");
  }
};

TEST_F(ImageEvaluations, OfEfficientNets) {
  const Recipe made = images(R"("network": "efficientnet-lite0", "side": 32, "crop_from": 36,
                                "padding": "symmetric", "normalization": "imagenet")");
  const auto file = drawn(made, "m.safetensors", 0.02);
  EXPECT_GT(std::abs(expect_alike(made, file).at("loss") - std::log(3.0)), 0.01);
  expect_alike(made, in_codes(file, "int8"));
  expect_error(ErrorCode::format, "has the variant lite0; the network of the task has b0",
               [&] { evaluate_recipe(images(R"("network": "efficientnet-b0", "side": 32)"), file, kExact); });
  expect_error(ErrorCode::format, "has classes: 3; the network of the task has 5", [&] {
    evaluate_recipe(images(R"("network": "efficientnet-lite0", "side": 32, "classes": 5)"), file, kExact);
  });
}

TEST_F(ImageEvaluations, RefuseAResNet) {
  const Recipe made = images(R"("depth": 8, "side": 32)");
  const auto file = drawn(made, "m.safetensors", 0);
  EXPECT_TRUE(evaluate_recipe(made, file).figures.contains("accuracy"));
  expect_error(
      ErrorCode::unsupported,
      "images.json: task.network: is resnet; engine run has EfficientNets alone; option engine must be "
      "torch for it",
      [&] { evaluate_recipe(made, file, kExact); });
}

}  // namespace
}  // namespace parsimony::models::evaluation_test
