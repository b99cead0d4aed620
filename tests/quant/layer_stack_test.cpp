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

}  // namespace
}  // namespace parsimony::quant::layer_stack_test
