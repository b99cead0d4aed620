#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expect_error.hpp"
#include "largest_error.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/run/session.hpp"
#include "reference_weights.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::encoder_test {
namespace {

double distance(const Matrix<float>& a, const Matrix<float>& b) {
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    error += std::pow(static_cast<double>(a.data()[i]) - b.data()[i], 2);
    norm += std::pow(static_cast<double>(b.data()[i]), 2);
  }
  return std::sqrt(error / norm);
}

std::vector<data::EncodedText> some_texts() {
  std::vector<data::EncodedText> out;
  for (const int count : {12, 1, 7, 20, 3}) {
    data::EncodedText text;
    for (int t = 0; t < count; ++t) text.tokens.push_back((t * 31 + count * 7) % 95 + 2);
    out.push_back(text);
  }
  return out;
}

// references/bert.py computed the scores by transformers, for texts of three lengths with padding.
TEST(Encoder, ScoresAreThoseOfTransformers) {
  const TemporaryDirectory directory;
  const nlohmann::json figures = reference_figures();
  int tried = 0;
  for (const auto& run : figures["runs"]) {
    if (run["head"] != "classification") continue;
    const std::string family = run["family"];
    SCOPED_TRACE(family);
    const SmallSizes sizes{.roberta = family == "roberta"};
    write_small_network(directory / family, sizes, family + ".", true);
    const Network network = load(directory / family);
    EXPECT_EQ(network.classes(), 3);
    Session session(network);
    const Matrix<float> scores =
        session.classify(texts_of(run["tokens"], run["types"], sizes.roberta ? 1 : 0));
    EXPECT_LE(largest_error(scores.values(), run["output"].get<std::vector<float>>()), 1e-4);
    ++tried;
  }
  EXPECT_EQ(tried, 2);
}

// Without padding a text has the same states alone and beside others, in any batch.
TEST(Encoder, TextsDoNotSeeEachOther) {
  const TemporaryDirectory directory;
  write_small_network(directory / "m", {}, "", false);
  const Network network = load(directory / "m");
  const auto texts = some_texts();
  const Matrix<float> together = Session(network).embed(texts);
  for (const std::int64_t tokens : {1, 9, 20}) {
    Session session(network, {.batch_tokens = tokens});
    EXPECT_LT(distance(session.embed(texts), together), 1e-6);
  }
  double length = 0;
  for (const float value : together.row(2)) length += static_cast<double>(value) * value;
  EXPECT_NEAR(length, 1, 1e-6);
  // The mean of the hidden states, by hand.
  Session session(network, {.normalize = false});
  const Matrix<float> states = session.hidden_states(std::span(texts).subspan(2, 1));
  ASSERT_EQ(states.rows(), 7);
  const Matrix<float> mean = session.embed(std::span(texts).subspan(2, 1));
  float sum = 0;
  for (std::int64_t t = 0; t < 7; ++t) sum += states(t, 5);
  EXPECT_NEAR(mean(0, 5), sum / 7, 1e-6);
}

struct Compact {
  std::filesystem::path codes, floats;
};

// A wider network in codes, and the same network with decoded weights.
Compact compact_network(const TemporaryDirectory& directory, const std::string& scheme) {
  const SmallSizes sizes{.vocabulary = 97, .width = 64, .heads = 4, .feed_forward = 128, .positions = 40};
  write_small_network(directory / "m", sizes, "", false);
  quant::CompressOptions options;
  options.scheme = scheme;
  Compact out{directory / (scheme + "c"), directory / (scheme + "f")};
  for (const auto& folder : {out.codes, out.floats}) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(directory / "m" / "config.json", folder / "config.json",
                               std::filesystem::copy_options::overwrite_existing);
  }
  quant::compress(directory / "m" / "model.safetensors", out.codes / "model.safetensors", options);
  quant::dequantize(out.codes / "model.safetensors", out.floats / "model.safetensors");
  return out;
}

TEST(Encoder, ExactIsTheNetworkWithDecodedWeights) {
  for (const char* scheme : {"pq8", "int8", "levels4"}) {
    SCOPED_TRACE(scheme);
    const TemporaryDirectory directory;
    const Compact files = compact_network(directory, scheme);
    const Network floats = load(files.floats), codes = load(files.codes, {.precision = Precision::exact});
    EXPECT_EQ(floats.in_codes(), 0);
    EXPECT_GE(codes.in_codes(), 13);
    const auto texts = some_texts();
    const Matrix<float> right = Session(floats).hidden_states(texts);
    EXPECT_LT(distance(Session(codes).hidden_states(texts), right), 1e-5);
    for (const Precision precision : {Precision::integers8, Precision::integers7, Precision::integers6}) {
      const Network fast = load(files.codes, {.precision = precision});
      EXPECT_LT(distance(Session(fast).hidden_states(texts), right), 0.04);
    }
  }
}

TEST(Encoder, SameBytesForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  const Compact files = compact_network(directory, "pq4");
  for (const Precision precision : {Precision::automatic, Precision::exact}) {
    const Network network = load(files.codes, {.precision = precision});
    const Matrix<float> one = Session(network).embed(some_texts(), Context(1));
    for (const int threads : {2, 3}) {
      const Matrix<float> many = Session(network).embed(some_texts(), Context(threads));
      EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), many.values().begin()));
    }
  }
}

TEST(Encoder, TakesNoMoreMemoryThanItsCodes) {
  const TemporaryDirectory directory;
  const Network network = load(compact_network(directory, "pq8").codes);
  const std::int64_t codes = 2 * (4 * 64 * 64 + 2 * 64 * 128) / 8;  // those of the linear layers
  EXPECT_GT(network.bytes(), codes);
  const Session session(network);
  EXPECT_GT(session.planned_bytes(100, 50, 1), 4 * 100 * 5 * 64);
  EXPECT_GT(session.planned_bytes(100, 50, 2), session.planned_bytes(100, 50, 1));
}

// Codes of four bits stay in the file, two in a byte.
TEST(Encoder, CodesOfFourBitsTakeHalfOfTheMemory) {
  const TemporaryDirectory directory;
  const std::int64_t four = load(compact_network(directory, "levels4").codes).bytes(),
                     eight = load(compact_network(directory, "int8").codes).bytes();
  EXPECT_LT(four, eight * 3 / 4);
}

TEST(Encoder, RefusesTextsThatItCannotRun) {
  const TemporaryDirectory directory;
  write_small_network(directory / "m", {}, "bert.", false);
  Session session(load(directory / "m"));
  const auto embed = [&](std::vector<std::int32_t> tokens, std::vector<std::int32_t> types = {}) {
    const data::EncodedText text{std::move(tokens), std::move(types)};
    session.embed(std::span(&text, 1));
  };
  expect_error(ErrorCode::invalid_argument, "has 0 tokens; must have 1 to 20", [&] { embed({}); });
  expect_error(ErrorCode::invalid_argument, "has 21 tokens",
               [&] { embed(std::vector<std::int32_t>(21, 5)); });
  expect_error(ErrorCode::invalid_argument, "token 97; the network has 0 to 96", [&] { embed({5, 97}); });
  expect_error(ErrorCode::invalid_argument, "token -1", [&] { embed({-1}); });
  expect_error(ErrorCode::invalid_argument, "type 2; the network has 0 to 1", [&] { embed({5}, {2}); });
  expect_error(ErrorCode::invalid_argument, "2 types for 1 token", [&] { embed({5}, {0, 1}); });
  expect_error(ErrorCode::invalid_argument, "no classification head", [&] { session.classify({}); });
}

TEST(Encoder, RefusesFilesThatAreNotItsNetwork) {
  const TemporaryDirectory directory;
  const SmallSizes sizes;
  const std::filesystem::path folder = directory / "m";
  std::vector<TensorInfo> tensors = small_tensors(sizes, "", false);
  const auto write = [&](std::vector<TensorInfo> infos) {
    write_small_network(folder, sizes, "", false);
    std::vector<std::vector<float>> values;
    for (const TensorInfo& info : infos) values.push_back(reference_values(info.name, info.shape));
    write_tensors(folder / "model.safetensors", std::move(infos), values);
  };
  for (std::size_t i = 0; i < tensors.size(); i += 7) {
    std::vector<TensorInfo> fewer = tensors;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    write(fewer);
    expect_error(ErrorCode::format, "is missing", [&] { load(folder); });
    std::vector<TensorInfo> other = tensors;
    other[i].shape[0] += 1;
    write(other);
    expect_error(ErrorCode::format, "the network asks for", [&] { load(folder); });
  }
  write(tensors);
  std::ofstream(folder / "config.json") << R"({"model_type": "gpt2"})";
  expect_error(ErrorCode::unsupported, "must be \"bert\" or \"roberta\"", [&] { load(folder); });
  std::filesystem::remove(folder / "config.json");
  expect_error(ErrorCode::io, "config.json", [&] { load(folder); });
  std::filesystem::remove(folder / "model.safetensors");
  expect_error(ErrorCode::io, "has no model.safetensors", [&] { load(folder); });
}

TEST(EncoderData, HiddenStatesOfMiniLmAreThoseOfTransformers) {
  const std::filesystem::path folder = places::data_folder() / "minilm";
  const auto weights = folder / "all-minilm-l6-v2-fp16.safetensors";
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << weights << " is missing";
  const nlohmann::json reference = reference_figures()["minilm"];
  const auto texts = texts_of(reference["tokens"], nullptr, 0);
  const auto all = reference["hidden"].get<std::vector<float>>();  // 3 × 12 × 24, with padding
  std::vector<float> right;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * 12 * 24);
    right.insert(right.end(), begin, begin + static_cast<std::ptrdiff_t>(texts[i].tokens.size() * 24));
  }
  const Matrix<float> states = Session(load(weights)).hidden_states(texts);
  std::vector<float> found;
  for (std::int64_t t = 0; t < states.rows(); ++t) {
    for (std::int64_t j = 0; j < 384; j += 16) found.push_back(states(t, j));
  }
  EXPECT_LE(largest_error(found, right), 1e-4);
}

}  // namespace
}  // namespace parsimony::run::encoder_test
