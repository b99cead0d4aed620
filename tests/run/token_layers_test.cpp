// Adaptive embeddings and their softmax, and descriptions of networks within files.
#include "run/token_layers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "expect_error.hpp"
#include "largest_error.hpp"
#include "parsimony/data/language_config.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/run/language_model.hpp"
#include "parsimony/run/network_kind.hpp"
#include "reference_weights.hpp"
#include "run/precision.hpp"
#include "small_efficientnet.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::token_layers_test {
namespace {

constexpr std::int64_t kWidth = 16;

std::vector<NamedShape> band_shapes() {
  return {{"embedding.bands.0.words.weight", {10, kWidth}},
          {"embedding.bands.0.projection.weight", {kWidth, kWidth}},
          {"embedding.bands.1.words.weight", {20, 4}},
          {"embedding.bands.1.projection.weight", {kWidth, 4}},
          {"embedding.bands.2.words.weight", {30, 1}},
          {"embedding.bands.2.projection.weight", {kWidth, 1}},
          {"output_classes.weight", {2, kWidth}}};
}

std::vector<double> log_softmax(std::vector<double> scores) {
  double sum = 0;
  for (const double score : scores) sum += std::exp(score);
  for (double& score : scores) score -= std::log(sum);
  return scores;
}

// By the definition, in float64.
TEST(TokenLayers, BandsGiveTheProbabilitiesOfTheAdaptiveSoftmax) {
  const TemporaryDirectory directory;
  write_reference_tensors(directory / "m.safetensors", band_shapes());
  Weights weights(directory / "m.safetensors", Context{1});
  const TokenLayers layers(weights, {});
  ASSERT_EQ(layers.vocabulary(), 60);
  EXPECT_EQ(TokenLayers::decoded_bytes(weights), 8 * (kWidth * 4 + kWidth));
  std::vector<float> x(kWidth), scores(60);
  for (std::int64_t i = 0; i < kWidth; ++i) x[i] = std::sin(static_cast<float>(3 * i));
  layers.score(x, scores, Context(1));

  const auto values = [&](const NamedShape& shape) { return reference_values(shape.name, shape.shape); };
  const auto shapes = band_shapes();
  const auto product = [](const std::vector<float>& matrix, std::int64_t rows,
                          const std::vector<double>& with) {
    std::vector<double> out(rows);
    const auto columns = std::ssize(with);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) out[r] += matrix[r * columns + c] * with[c];
    }
    return out;
  };
  const std::vector<double> exact(x.begin(), x.end());
  std::vector<double> head = product(values(shapes[0]), 10, exact);
  for (const double score : product(values(shapes[6]), 2, exact)) head.push_back(score);
  head = log_softmax(head);
  std::vector<float> right(head.begin(), head.begin() + 10);
  for (const std::int64_t band : {1, 2}) {
    const std::vector<float> projection = values(shapes[2 * band + 1]);
    const std::int64_t each = shapes[2 * band + 1].shape[1];
    std::vector<double> inner(each);
    for (std::int64_t c = 0; c < each; ++c) {
      for (std::int64_t i = 0; i < kWidth; ++i) inner[c] += projection[i * each + c] * exact[i];
    }
    for (const double value :
         log_softmax(product(values(shapes[2 * band]), shapes[2 * band].shape[0], inner))) {
      right.push_back(static_cast<float>(value + head[10 + band - 1]));
    }
  }
  EXPECT_LE(largest_error(scores, right), 1e-5);

  // Token 12 is the third of the second band.
  std::vector<float> vector(kWidth);
  layers.embed(12, vector, Context(1));
  const std::vector<float> words = values(shapes[2]), projection = values(shapes[3]);
  for (std::int64_t i = 0; i < kWidth; ++i) {
    double sum = 0;
    for (std::int64_t c = 0; c < 4; ++c) sum += projection[4 * i + c] * words[4 * 2 + c];
    EXPECT_NEAR(vector[i], sum, 1e-5);
  }
}

TEST(TokenLayers, RefuseBandsThatDoNotFit) {
  const TemporaryDirectory directory;
  auto shapes = band_shapes();
  shapes.resize(2);
  write_reference_tensors(directory / "one.safetensors", shapes);
  Weights one(directory / "one.safetensors", Context{1});
  expect_error(ErrorCode::format, "at least two bands", [&] { TokenLayers(one, {}); });
  shapes = band_shapes();
  shapes[3].shape = {kWidth, 5};
  write_reference_tensors(directory / "m.safetensors", shapes);
  Weights weights(directory / "m.safetensors", Context{1});
  expect_error(ErrorCode::format, "embedding.bands.1.projection.weight", [&] { TokenLayers(weights, {}); });
  shapes[2].shape = {20, 8 * kWidth};
  shapes[3].shape = {kWidth, 8 * kWidth};
  write_reference_tensors(directory / "wide.safetensors", shapes);
  Weights wide(directory / "wide.safetensors", Context{1});
  expect_error(ErrorCode::format, "more values than the first band", [&] { TokenLayers(wide, {}); });
}

std::vector<NamedShape> language_shapes(std::int64_t vocabulary = 11, std::int64_t width = kWidth) {
  std::vector<NamedShape> shapes{
      {"embedding.weight", {vocabulary, width}}, {"norm.weight", {width}}, {"norm.bias", {width}}};
  const auto linear = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    shapes.push_back({name + ".weight", {outputs, inputs}});
    shapes.push_back({name + ".bias", {outputs}});
  };
  for (const char* part : {"query", "key", "value", "output"}) {
    linear(std::string("layers.0.attention.") + part, width, width);
  }
  linear("layers.0.feed_forward.0", 24, width);
  linear("layers.0.feed_forward.2", width, 24);
  for (const char* norm : {"layers.0.attention_norm", "layers.0.feed_forward_norm"}) {
    shapes.push_back({std::string(norm) + ".weight", {width}});
    shapes.push_back({std::string(norm) + ".bias", {width}});
  }
  return shapes;
}

// Only the codes of a tied embedding are there twice, and tiles are kept for integers alone.
TEST(PackedBytes, OfALanguageModelHold) {
  const TemporaryDirectory directory;
  write_reference_tensors(directory / "m.safetensors", language_shapes(1000, 128));
  for (const char* scheme : {"int8", "int4", "pq4"}) {
    const std::filesystem::path file = directory / (std::string(scheme) + ".safetensors");
    quant::compress(SafetensorsFile(directory / "m.safetensors"), file, {.scheme = scheme}, Context(1));
    const Weights weights(file, Context{1});
    for (const Precision precision : {Precision::exact, Precision::integers8}) {
      for (const auto keep_tiles :
           {quant::KeepTiles::automatic, quant::KeepTiles::never, quant::KeepTiles::always}) {
        const LoadOptions options{.precision = precision, .keep_tiles = keep_tiles};
        const quant::PackedBytes packed = weights.packed_bytes(product_options(options));
        const std::int64_t planned = packed.total() + TokenLayers::lookup_bytes(weights),
                           bytes = load_language_model(file, {.heads = 4}, options).bytes(),
                           floats = 4 * weights.float_count();
        SCOPED_TRACE(::testing::Message()
                     << scheme << ", " << enum_name(precision) << ", " << enum_name(keep_tiles));
        EXPECT_LE(bytes, planned + floats);
        EXPECT_LE(planned, 1.1 * static_cast<double>(bytes) + (1 << 14));
        EXPECT_TRUE(packed.tiles == 0 || precision != Precision::exact);
      }
    }
  }
}

TEST(NetworkText, TellsTheSettingsOfALanguageModel) {
  const TemporaryDirectory directory;
  write_reference_tensors(directory / "m.safetensors", language_shapes());
  const SafetensorsFile plain(directory / "m.safetensors");
  quant::ModelTensors model(plain);
  model.add_metadata("parsimony.network",
                     data::language_config_text({.heads = 4, .layers = 2, .first_position = 2}));
  quant::compress(model, directory / "c.safetensors", {.scheme = "int8"}, Context(1));
  EXPECT_EQ(network_kind(directory / "c.safetensors"), NetworkKind::language);
  const LanguageModel network = load_language_model(directory / "c.safetensors", {});
  EXPECT_EQ(network.options().heads, 4);
  EXPECT_EQ(network.options().first_position, 2);
  EXPECT_EQ(network.layers(), 2);
  // Each setting that is given goes before its own.
  const auto options_of = [&](const LanguageOptions& given) {
    const LanguageModel chosen = load_language_model(directory / "c.safetensors", given);
    return std::array{chosen.options().heads, chosen.layers(), chosen.options().first_position};
  };
  using Numbers = std::array<std::int64_t, 3>;
  EXPECT_EQ(options_of({.heads = 2}), (Numbers{2, 2, 2}));
  EXPECT_EQ(options_of({.layers = 1}), (Numbers{4, 1, 2}));
  EXPECT_EQ(options_of({.first_position = 0}), (Numbers{4, 2, 0}));
  for (const char* text :
       {"[", R"({"model_type": "bert"})", R"({"model_type": "transformer", "heads": 0})",
        R"({"model_type": "transformer", "heads": 2, "layers": 1, "first_position": -1})",
        R"({"model_type": "transformer", "heads": 2, "layers": 1, "first_position": 0, "final_norm": 1})"}) {
    expect_error(ErrorCode::format, "must be", [&] { data::parse_language_config(text, "x"); });
  }
}

// The flags of the command are not to blame for what a file tells.
TEST(NetworkText, OfALanguageModelIsNamedWhereItDoesNotFit) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "m.safetensors", described = directory / "c.safetensors";
  write_reference_tensors(file, language_shapes());
  const SafetensorsFile plain(file);
  for (const auto& [config, what] :
       {std::pair{data::LanguageConfig{.heads = 5, .layers = 1}, "parsimony.network: heads: is 5"},
        std::pair{data::LanguageConfig{.heads = 4, .layers = 7}, "parsimony.network: layers: is 7"}}) {
    quant::ModelTensors model(plain);
    model.add_metadata("parsimony.network", data::language_config_text(config));
    quant::compress(model, described, {.scheme = "int8"}, Context(1));
    expect_error(ErrorCode::format, what, [&] { load_language_model(described, {}); });
  }
  expect_error(ErrorCode::invalid_argument, "heads: is 5",
               [&] { load_language_model(described, {.heads = 5}); });
  expect_error(ErrorCode::invalid_argument, "heads: the file does not tell them",
               [&] { load_language_model(file, {}); });
}

// A last norm that is missing is lost or meant: the metadata tell it, but those of earlier versions do not.
TEST(NetworkText, TellsWhetherALanguageModelHasALastNorm) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "m.safetensors";
  const auto write = [&](bool bands, bool norm, std::optional<bool> told) {
    std::vector<NamedShape> shapes = language_shapes();
    if (bands) {
      std::erase_if(shapes, [](const NamedShape& shape) { return shape.name == "embedding.weight"; });
      for (const NamedShape& shape : band_shapes()) shapes.push_back(shape);
    }
    if (!norm) std::erase_if(shapes, [](const NamedShape& shape) { return shape.name.starts_with("norm."); });
    write_reference_tensors(directory / "plain.safetensors", shapes);
    const SafetensorsFile plain(directory / "plain.safetensors");
    write_safetensors(
        file, plain.tensors(),
        {{"parsimony.network",
          data::language_config_text({.heads = 4, .layers = 1, .first_position = 0, .final_norm = told})}});
  };
  const auto refused = [&](bool bands, bool norm, std::optional<bool> told, const char* piece) {
    write(bands, norm, told);
    expect_error(ErrorCode::format, piece, [&] { load_language_model(file, {}); });
  };
  for (const bool bands : {false, true}) {
    for (const std::optional<bool> told :
         {std::optional<bool>(), std::optional(true), std::optional(false)}) {
      for (const bool norm : {true, false}) {
        if (told.value_or(norm) != norm || (!told && !norm && !bands)) continue;
        write(bands, norm, told);
        EXPECT_EQ(load_language_model(file, {}).final_norm(), norm);
      }
    }
    refused(bands, false, true,
            R"(tensor 'norm.weight': is missing; parsimony.network says "final_norm": true)");
    refused(bands, true, false,
            R"(tensor 'norm.weight': is there; parsimony.network says "final_norm": false)");
  }
  refused(false, false, {}, R"(needs "final_norm": false in parsimony.network)");
}

TEST(NetworkText, OfFairseqIsRefused) {
  const TemporaryDirectory directory;
  write_reference_tensors(directory / "m.safetensors", {{"decoder.embed_tokens.weight", {11, kWidth}}});
  expect_error(ErrorCode::unsupported, "names of fairseq",
               [&] { load_language_model(directory / "m.safetensors", {.heads = 4}); });
}

TEST(NetworkText, OfConfigJsonIsKeptInTheCompactFile) {
  const TemporaryDirectory directory;
  write_small_network(directory / "m", {}, "bert.", false);
  quant::compress(directory / "m" / "model.safetensors", directory / "c.safetensors", {.scheme = "int8"},
                  Context(1));
  EXPECT_EQ(network_kind(directory / "c.safetensors"), NetworkKind::encoder);
  EXPECT_EQ(load(directory / "c.safetensors").config().heads, 4);
  // A folder with a config.json goes before.
  std::filesystem::create_directories(directory / "other");
  std::ofstream(directory / "other" / "config.json") << "[";
  expect_error(ErrorCode::format, "other/config.json",
               [&] { load(directory / "c.safetensors", {.folder = directory / "other"}); });
  expect_error(ErrorCode::io, "cannot be read",
               [&] { load(directory / "c.safetensors", {.folder = directory / std::string(300, 'x')}); });
  write_efficientnet(directory / "e.safetensors", data::EfficientNetVariant::lite0, 3);
  EXPECT_EQ(network_kind(directory / "e.safetensors"), NetworkKind::image);
  write_reference_tensors(directory / "none.safetensors", {{"x.weight", {2, 2}}});
  expect_error(ErrorCode::format, "tensors of no network",
               [&] { network_kind(directory / "none.safetensors"); });
}

}  // namespace
}  // namespace parsimony::run::token_layers_test
