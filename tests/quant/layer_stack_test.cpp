// Transformers with shared and pruned layers.
#include "parsimony/quant/layer_stack.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "expect_error.hpp"
#include "parsimony/quant/compress.hpp"
#include "quant/model_files.hpp"

namespace parsimony::quant::layer_stack_test {
namespace {

class LayerStacks : public ModelFiles {
 protected:
  SafetensorsFile transformer(const std::string& prefix, std::int64_t layers,
                              const std::string& path = "m.safetensors") {
    std::vector<TensorView> tensors{normal("embeddings.weight", {32, 16})};
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::string name = prefix + std::to_string(layer);
      tensors.push_back(normal(name + ".attention.weight", {32, 32}));
      tensors.push_back(normal(name + ".attention.bias", {32}));
    }
    return file(tensors, path);
  }
};

TEST_F(LayerStacks, AreFoundByTheNamesOfLibraries) {
  for (const char* prefix : {"encoder.layer.", "roberta.encoder.layer.", "h.", "transformer.h.",
                             "decoder.layers.", "model.layers.", "blocks."}) {
    const std::vector<LayerStack> stacks = layer_stacks(transformer(prefix, 12));
    ASSERT_EQ(stacks.size(), 1u) << prefix;
    EXPECT_EQ(stacks[0].prefix, prefix);
    EXPECT_EQ(stacks[0].layers, 12);
  }
  EXPECT_TRUE(layer_stacks(transformer("layer1.", 4)).empty());  // a residual network
  EXPECT_TRUE(layer_stacks(transformer("encoder.layer.", 1)).empty());
  EXPECT_TRUE(layer_stacks(transformer("encoder.layer.1", 4)).empty());  // 10 to 13: not from 0 on
  std::vector<TensorView> uneven{normal("blocks.0.a.weight", {4, 4}), normal("blocks.1.a.weight", {4, 5})};
  EXPECT_TRUE(layer_stacks(file(uneven)).empty());
  expect_error(ErrorCode::unsupported, "need equal layers with numbers",
               [&] { share_and_prune(file(uneven), LayerSharing::pairs, LayerPruning::none); });
}

TEST_F(LayerStacks, RemainAsTheRulesSay) {
  using L = std::vector<std::int64_t>;
  EXPECT_EQ(remaining_layers(5, LayerSharing::none, LayerPruning::every_other), (L{0, 2, 4}));
  EXPECT_EQ(remaining_layers(12, LayerSharing::pairs, LayerPruning::every_other), (L{0, 1, 4, 5, 8, 9}));
  EXPECT_EQ(remaining_layers(3, LayerSharing::pairs, LayerPruning::none), (L{0, 1, 2}));
}

TEST_F(LayerStacks, SharedAndPrunedLayersAreThoseOfTheModelUnderNewNumbers) {
  const SafetensorsFile model = transformer("encoder.layer.", 8);
  const auto weight = [](const SafetensorsFile& file, int layer) {
    return float32_values(file.at("encoder.layer." + std::to_string(layer) + ".attention.weight"));
  };
  compress(ModelTensors(model), directory_ / "whole", {});
  CompressOptions options{.share = LayerSharing::pairs, .prune = LayerPruning::every_other};
  const Compression made = compress(ModelTensors(model), directory_ / "c", options);
  EXPECT_EQ(made.bytes, static_cast<std::int64_t>(std::filesystem::file_size(directory_ / "c")));
  EXPECT_EQ(made.recipe.aliases.size(), 4u);  // weight and bias of two layers
  dequantize(directory_ / "whole", directory_ / "floats");
  dequantize(directory_ / "c", directory_ / "pruned");
  const SafetensorsFile floats(directory_ / "floats"), pruned(directory_ / "pruned");
  EXPECT_EQ(pruned.tensors().size(), 1u + 4 * 2);
  for (const auto& [layer, from] : std::map<int, int>{{0, 0}, {1, 0}, {2, 4}, {3, 4}}) {
    EXPECT_EQ(weight(pruned, layer), weight(floats, from)) << layer;
  }
  options.dry_run = true;
  EXPECT_EQ(compress(ModelTensors(model), "", options).bytes, made.bytes);
}

TEST_F(LayerStacks, APrunedModelHasItsConfigurationBesideIt) {
  transformer("h.", 6);
  directory_.file("config.json", R"({"n_layer": 6, "n_head": 6, "name": "x"})");
  std::filesystem::create_directory(directory_ / "out");
  const CompressOptions options{.prune = LayerPruning::every_other};
  const std::filesystem::path model = directory_ / "m.safetensors";
  compress(model, directory_ / "out" / "c", options);
  const auto config = nlohmann::json::parse(TemporaryDirectory::content(directory_ / "out" / "config.json"));
  EXPECT_EQ(config, nlohmann::json::parse(R"({"n_layer": 3, "n_head": 6, "name": "x"})"));
  compress(model, directory_ / "out" / "c", options);  // its own file is replaced
  expect_error(ErrorCode::invalid_argument, "another file of that name",
               [&] { compress(model, directory_ / "c", options); });
  EXPECT_FALSE(std::filesystem::exists(directory_ / "c"));
  expect_error(ErrorCode::format, "is not a JSON object", [&] { pruned_config("[1]", "config.json", 6, 3); });
  expect_error(ErrorCode::format, "nest too deep",
               [&] { pruned_config(std::string(1000, '['), "config.json", 6, 3); });
}

class NetworkOfCompactFile : public ModelFiles {
 protected:
  std::filesystem::path encoder(const std::string& base, std::int64_t layers) {
    std::vector<TensorView> tensors{normal(base + "embeddings.word_embeddings.weight", {32, 16})};
    for (std::int64_t layer = 0; layer < layers; ++layer)
      tensors.push_back(normal(base + "encoder.layer." + std::to_string(layer) + ".a.weight", {32, 32}));
    return file(tensors).paths().front();
  }
  // The text that the file has; empty without one.
  static std::string network(const std::filesystem::path& path) {
    const SafetensorsFile made(path);
    const auto found = made.metadata().find(kNetworkKey);
    return found == made.metadata().end() ? std::string() : found->second;
  }
  std::string network_of(const std::filesystem::path& model, const Context& context = Context(1)) const {
    compress(model, directory_ / "out.safetensors", {}, context);
    return network(directory_ / "out.safetensors");
  }
};

TEST_F(NetworkOfCompactFile, HasTheLayersThatRemain) {
  const std::filesystem::path model = encoder("bert.", 6);
  directory_.file("config.json", R"({"model_type": "bert", "num_hidden_layers": 6, "x": 1})");
  const std::string whole = R"({"model_type":"bert","num_hidden_layers":6})";
  const std::string pruned = R"({"model_type":"bert","num_hidden_layers":3})";
  EXPECT_EQ(network_of(model), whole);
  const CompressOptions options{.prune = LayerPruning::every_other};
  std::filesystem::create_directory(directory_ / "a");
  const Compression made = compress(model, directory_ / "a" / "c", options);
  EXPECT_EQ(network(directory_ / "a" / "c"), pruned);
  CompressOptions dry = options;
  dry.dry_run = true;
  EXPECT_EQ(compress(model, "", dry).bytes, made.bytes);
  // A dequantized file brings the text with it, and has no config.json.
  std::filesystem::create_directory(directory_ / "b");
  dequantize(directory_ / "out.safetensors", directory_ / "b" / "floats");
  EXPECT_EQ(network(directory_ / "b" / "floats"), whole);
  compress(directory_ / "b" / "floats", directory_ / "b" / "c", options);
  EXPECT_EQ(network(directory_ / "b" / "c"), pruned);
}

TEST_F(NetworkOfCompactFile, CountsSharedLayersOfALanguageModelAsOftenAsTheyRun) {
  std::vector<TensorView> tensors;
  for (const char* layer : {"0", "1", "2"})
    tensors.push_back(normal("layers." + std::string(layer) + ".a.weight", {32, 32}));
  const SafetensorsFile whole = file(tensors);
  for (const auto& [before, after] : std::map<int, int>{{3, 2}, {5, 3}, {6, 4}, {7, 7}}) {
    ModelTensors model(whole);
    const auto text = [](int layers) {
      return R"({"model_type":"transformer","heads":2,"layers":)" + std::to_string(layers) + "}";
    };
    model.add_metadata(std::string(kNetworkKey), text(before));
    compress(model, directory_ / "c", {.prune = LayerPruning::every_other});
    EXPECT_EQ(network(directory_ / "c"), text(after));
  }
}

TEST_F(NetworkOfCompactFile, IsThatOfItsTensorsOrUntold) {
  std::vector<std::string> warnings;
  Context context(1);
  context.on_log = [&](LogLevel, std::string_view message) { warnings.emplace_back(message); };
  const std::filesystem::path other = file({normal("fc.weight", {32, 32})}, "other").paths().front();
  directory_.file("config.json", R"({"model_type": "bert", "num_hidden_layers": 2})");
  EXPECT_EQ(network_of(other, context), "");
  EXPECT_EQ(network_of(encoder("roberta.", 2), context), "");
  EXPECT_NE(network_of(encoder("", 2), context), "");
  const std::string large(std::size_t{17} << 20, ' ');
  directory_.file("config.json", large);
  EXPECT_EQ(network_of(other, context), "");
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(network_of(encoder("bert.", 2), context), "");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("does not tell how the network computes"), std::string::npos) << warnings[0];
}

}  // namespace
}  // namespace parsimony::quant::layer_stack_test
