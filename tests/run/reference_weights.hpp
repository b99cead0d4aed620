// Networks with the weights of tests/models/references/values.py, whose outputs transformers has computed.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/safetensors.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "places.hpp"
#include "reference_numbers.hpp"

namespace parsimony::run {

using references::reference_numbers;
using references::reference_values;

/// The sizes of the small networks of references/bert.py.
struct SmallSizes {
  bool roberta = false;
  std::int64_t vocabulary = 97, width = 24, layers = 2, heads = 4, feed_forward = 40, positions = 20;
};

inline std::vector<TensorInfo> small_tensors(const SmallSizes& sizes, const std::string& base, bool head) {
  std::vector<TensorInfo> out;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    out.push_back({name, DType::float32, std::move(shape)});
  };
  const std::int64_t width = sizes.width;
  const auto linear = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    add(name + ".weight", {outputs, inputs});
    add(name + ".bias", {outputs});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {width});
    add(name + ".bias", {width});
  };
  add(base + "embeddings.word_embeddings.weight", {sizes.vocabulary, width});
  add(base + "embeddings.position_embeddings.weight", {sizes.positions, width});
  add(base + "embeddings.token_type_embeddings.weight", {sizes.roberta ? 1 : 2, width});
  norm(base + "embeddings.LayerNorm");
  for (std::int64_t i = 0; i < sizes.layers; ++i) {
    const std::string layer = base + "encoder.layer." + std::to_string(i);
    for (const char* part : {".attention.self.query", ".attention.self.key", ".attention.self.value",
                             ".attention.output.dense"}) {
      linear(layer + part, width, width);
    }
    norm(layer + ".attention.output.LayerNorm");
    linear(layer + ".intermediate.dense", sizes.feed_forward, width);
    linear(layer + ".output.dense", width, sizes.feed_forward);
    norm(layer + ".output.LayerNorm");
  }
  if (!head) return out;
  linear(sizes.roberta ? "classifier.dense" : base + "pooler.dense", width, width);
  linear(sizes.roberta ? "classifier.out_proj" : "classifier", 3, width);
  return out;
}

/// Writes model.safetensors with these values, each of float32.
inline void write_tensors(const std::filesystem::path& path, std::vector<TensorInfo> infos,
                          const std::vector<std::vector<float>>& values) {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    bytes.push_back(tensor_bytes(values[i], infos[i].dtype));
    views.push_back({std::move(infos[i]), bytes.back()});
  }
  write_safetensors(path, views);
}

inline std::string config_text(const SmallSizes& sizes) {
  const nlohmann::json config{{"model_type", sizes.roberta ? "roberta" : "bert"},
                              {"vocab_size", sizes.vocabulary},
                              {"hidden_size", sizes.width},
                              {"num_hidden_layers", sizes.layers},
                              {"num_attention_heads", sizes.heads},
                              {"intermediate_size", sizes.feed_forward},
                              {"max_position_embeddings", sizes.positions},
                              {"type_vocab_size", sizes.roberta ? 1 : 2},
                              {"pad_token_id", sizes.roberta ? 1 : 0},
                              {"layer_norm_eps", sizes.roberta ? 1e-5 : 1e-12}};
  return config.dump();
}

/// A folder with model.safetensors and config.json.
inline void write_small_network(const std::filesystem::path& folder, const SmallSizes& sizes,
                                const std::string& base, bool head) {
  std::filesystem::create_directories(folder);
  const std::vector<TensorInfo> tensors = small_tensors(sizes, base, head);
  std::vector<std::vector<float>> values;
  for (const TensorInfo& tensor : tensors) values.push_back(reference_values(tensor.name, tensor.shape));
  write_tensors(folder / "model.safetensors", tensors, values);
  std::ofstream(folder / "config.json") << config_text(sizes);
}

inline nlohmann::json reference_figures() {
  std::ifstream stream(places::source_folder() / "tests/models/references/bert.json");
  return nlohmann::json::parse(stream);
}

/// Rows of tokens without the padding at their ends.
inline std::vector<data::EncodedText> texts_of(const nlohmann::json& tokens, const nlohmann::json& types,
                                               std::int32_t padding) {
  std::vector<data::EncodedText> out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    data::EncodedText text;
    text.tokens = tokens[i].get<std::vector<std::int32_t>>();
    while (text.tokens.back() == padding) text.tokens.pop_back();
    if (!types.is_null()) {
      text.types = types[i].get<std::vector<std::int32_t>>();
      text.types.resize(text.tokens.size());
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace parsimony::run
