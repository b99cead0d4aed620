// Language models with fairseq's names against plain PyTorch, whose figures references/language.py computed.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>

#include "expect_error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/models/weights.hpp"
#include "reference_values.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::language_parity_test {
namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

TransformerOptions options_of(const nlohmann::json& run) {
  TransformerOptions out{.vocabulary = 60,
                         .context = 10,
                         .layers = 3,
                         .width = 16,
                         .heads = 4,
                         .feed_forward = 24,
                         .tied_embeddings = run["kind"] != "untied",
                         .band_factor = 2,
                         .final_norm = run["final_norm"],
                         .first_position = 2};
  if (run["kind"] == "adaptive") out.cutoffs = {12, 30};
  return out;
}

// The tensors of the file by the names that fairseq gives them.
Shapes fairseq_shapes(const TransformerOptions& options) {
  const std::int64_t width = options.width, inner = options.feed_forward;
  Shapes out;
  const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    out[name + ".weight"] = {rows, columns};
    out[name + ".bias"] = {rows};
  };
  const auto norm = [&](const std::string& name) { out[name + ".weight"] = out[name + ".bias"] = {width}; };
  for (std::int64_t i = 0; i < options.layers; ++i) {
    const std::string layer = "decoder.layers." + std::to_string(i) + ".";
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      linear(layer + "self_attn." + part, width, width);
    }
    linear(layer + "fc1", inner, width);
    linear(layer + "fc2", width, inner);
    norm(layer + "self_attn_layer_norm");
    norm(layer + "final_layer_norm");
  }
  if (options.final_norm) norm("decoder.layer_norm");
  if (options.cutoffs.empty()) {
    out["decoder.embed_tokens.weight"] = {options.vocabulary, width};
    if (!options.tied_embeddings) out["decoder.output_projection.weight"] = {options.vocabulary, width};
    return out;
  }
  for (std::int64_t band = 0, values = width, from = 0; band < 3; ++band, values /= 2) {
    const std::int64_t to = band < 2 ? options.cutoffs[band] : options.vocabulary;
    const std::string name = "decoder.embed_tokens.embeddings." + std::to_string(band);
    out[name + ".0.weight"] = {to - from, values};
    out[name + ".1.weight"] = {width, values};
    from = to;
  }
  out["decoder.adaptive_softmax.head.class_proj.weight"] = {2, width};
  return out;
}

// A tensor of the file: its name, and that whose reference values it has.
using Names = std::vector<std::pair<std::string, std::string>>;

std::filesystem::path write_fairseq(const std::filesystem::path& path, const Shapes& shapes,
                                    const Names& more = {}) {
  Names names;
  for (const auto& [name, shape] : shapes) names.emplace_back(name, name);
  names.insert(names.end(), more.begin(), more.end());
  std::vector<torch::Tensor> kept;
  std::vector<TensorView> views;
  for (const auto& [name, like] : names) {
    const auto found = shapes.find(like);
    const std::vector<std::int64_t> shape =
        found == shapes.end() ? std::vector<std::int64_t>{1} : found->second;
    kept.push_back(reference_tensor(like, shape).contiguous());
    TensorView view;
    view.name = name;
    view.shape = shape;
    view.dtype = DType::float32;
    view.data = {static_cast<const std::uint8_t*>(kept.back().data_ptr()), kept.back().nbytes()};
    views.push_back(view);
  }
  write_safetensors(path, views);
  return path;
}

torch::Tensor ids_of(const nlohmann::json& rows) {
  std::vector<std::int64_t> all;
  for (const auto& row : rows) {
    for (const auto& id : row) all.push_back(id.get<std::int64_t>());
  }
  return torch::tensor(all, torch::kLong).view({static_cast<std::int64_t>(rows.size()), -1});
}

TEST(LanguageParity, ProbabilitiesAreThoseOfPlainPyTorch) {
  const TemporaryDirectory directory;
  const torch::NoGradGuard no_gradient;
  const nlohmann::json figures = reference_figures("language.json");
  for (const auto& run : figures["runs"]) {
    const TransformerOptions options = options_of(run);
    SCOPED_TRACE(run["kind"].get<std::string>() + (options.final_norm ? "" : " without a last norm"));
    Transformer model(options);
    load_weights(model, write_fairseq(directory / "lm.safetensors", fairseq_shapes(options)));
    model.eval();
    const torch::Tensor all = ids_of(run["tokens"]), tokens = all.slice(1, 0, -1), targets = all.slice(1, 1);
    EXPECT_LE(reference_error(model.forward(tokens).log_softmax(-1).contiguous(), run["log_probabilities"]),
              1e-5);
    EXPECT_NEAR(-model.log_probabilities(tokens, targets).mean().item<double>(), run["loss"].get<double>(),
                1e-5);
  }
  EXPECT_EQ(figures["runs"].size(), 4);
}

// Files of fairseq repeat the tied weights and have tensors without weights.
TEST(LanguageParity, TiedTensorsOfAFileMustBeEqual) {
  const TemporaryDirectory directory;
  const TransformerOptions options = options_of({{"kind", "adaptive"}, {"final_norm", true}});
  const Shapes shapes = fairseq_shapes(options);
  const std::string words = "decoder.embed_tokens.embeddings.";
  Names more{{"decoder.version", "decoder.version"},
             {"decoder.embed_positions._float_tensor", "x"},
             {"decoder.adaptive_softmax.head.word_proj.weight", words + "0.0.weight"},
             {"decoder.adaptive_softmax.tail.0.0.weight", words + "1.1.weight"},
             {"decoder.adaptive_softmax.tail.0.2.weight", words + "1.0.weight"},
             {"decoder.adaptive_softmax.tail.1.0.weight", words + "2.1.weight"},
             {"decoder.adaptive_softmax.tail.1.2.weight", words + "2.0.weight"}};
  Transformer model(options), again(options);
  load_weights(model, write_fairseq(directory / "lm.safetensors", shapes, more));
  load_weights(again, write_fairseq(directory / "lm.safetensors", shapes));
  const auto a = model.named_parameters(), b = again.named_parameters();
  for (const auto& item : a) EXPECT_TRUE(torch::equal(item.value(), b[item.key()])) << item.key();
  more.back().second = words + "2.1.weight";
  expect_error(ErrorCode::format, "differ",
               [&] { load_weights(model, write_fairseq(directory / "lm.safetensors", shapes, more)); });
  more.back() = {"decoder.layers.0.encoder_attn.k_proj.weight", words + "0.0.weight"};
  expect_error(ErrorCode::format, "the model has no tensor 'decoder.layers.0.encoder_attn.k_proj.weight'",
               [&] { load_weights(model, write_fairseq(directory / "lm.safetensors", shapes, more)); });
}

// Layers 0 and 1 of the file are equal, as fairseq stores shared layers.
TEST(LanguageParity, SharedLayersComeFromEqualOnes) {
  const TemporaryDirectory directory;
  TransformerOptions options = options_of({{"kind", "tied"}, {"final_norm", true}});
  Shapes shapes = fairseq_shapes(options);
  Names twins;
  for (const auto& [name, shape] : shapes) {
    if (name.find("layers.0.") == name.npos) continue;
    std::string second = name;
    second[second.find("layers.0") + 7] = '1';
    twins.emplace_back(second, name);
  }
  std::erase_if(shapes, [](const auto& item) { return item.first.find("layers.1.") != std::string::npos; });
  const auto file = write_fairseq(directory / "lm.safetensors", shapes, twins);
  Transformer apart(options);
  load_weights(apart, file);
  options.share_adjacent = true;
  Transformer shared(options);
  load_weights(shared, file);
  apart.eval();
  shared.eval();
  const torch::Tensor tokens = torch::arange(20, torch::kLong).view({2, 10});
  EXPECT_TRUE(torch::equal(apart.forward(tokens), shared.forward(tokens)));
}

TEST(LanguageParity, HasThePublishedNumberOfParameters) {
  Transformer model({.vocabulary = 267744,
                     .layers = 1,
                     .width = 1024,
                     .heads = 8,
                     .feed_forward = 4096,
                     .cutoffs = {20000, 60000}});
  std::int64_t count = 0, layer = 0;
  for (const auto& item : model.named_parameters()) {
    count += item.value().numel();
    if (item.key().starts_with("layers.")) layer += item.value().numel();
  }
  EXPECT_EQ(count + 15 * layer, 246935552) << "the network of the paper has 16 layers";
}

}  // namespace
}  // namespace parsimony::models::language_parity_test
