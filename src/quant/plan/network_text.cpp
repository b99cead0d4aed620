#include "quant/plan/network_text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/json_nesting.hpp"

namespace parsimony::quant {
namespace {

// Keys that data::read_encoder_config() and data::read_padding() read.
constexpr std::array<std::string_view, 18> kNetworkKeys{"model_type",
                                                        "architecture",
                                                        "vocab_size",
                                                        "max_position_embeddings",
                                                        "type_vocab_size",
                                                        "num_hidden_layers",
                                                        "hidden_size",
                                                        "num_attention_heads",
                                                        "intermediate_size",
                                                        "pad_token_id",
                                                        "layer_norm_eps",
                                                        "hidden_act",
                                                        "position_embedding_type",
                                                        "id2label",
                                                        "num_labels",
                                                        "hidden_dropout_prob",
                                                        "heads",
                                                        "context"};

std::string text_under(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

nlohmann::ordered_json object_of(const std::string& text) {
  nlohmann::ordered_json all;
  if (!nests_too_deep(text)) all = nlohmann::ordered_json::parse(text, nullptr, false);
  return all.is_object() ? all : nlohmann::ordered_json();
}

std::string one_line(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool has_tensor(const ModelTensors& model, std::string_view name) {
  const auto tensors = model.tensors();
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const TensorView& tensor) { return tensor.name == name; });
}

bool has_words(const ModelTensors& model, std::string_view base) {
  return has_tensor(model, std::string(base) + "embeddings.word_embeddings.weight");
}

bool is_efficientnet(const ModelTensors& model) {
  return has_tensor(model, "conv_stem.weight");
}

}  // namespace

bool has_network_text(const ModelTensors& model) {
  return has_words(model, "") || has_words(model, "bert.") || has_words(model, "roberta.") ||
         is_efficientnet(model);
}

std::string network_text(const std::string& config, const ModelTensors& model) {
  const nlohmann::ordered_json all = object_of(config);
  const std::string type = text_under(all, "model_type");
  const bool bert = type == "bert" && has_words(model, "bert.");
  const bool roberta = (type == "roberta" || type == "xlm-roberta") && has_words(model, "roberta.");
  const bool encoder = type == "bert" || type == "roberta" || type == "xlm-roberta";
  const bool image =
      is_efficientnet(model) && text_under(all, "architecture").find("efficientnet") != std::string::npos;
  if (!bert && !roberta && !(encoder && has_words(model, "")) && !image) return {};
  nlohmann::ordered_json kept;
  for (const std::string_view key : kNetworkKeys) {
    const auto found = all.find(key);
    if (found != all.end() && !found->is_null()) kept[std::string(key)] = *found;
  }
  return one_line(kept);
}

std::string pruned_network_text(const std::string& network, std::int64_t before, LayerSharing sharing,
                                LayerPruning pruning) {
  nlohmann::ordered_json all = object_of(network);
  if (all.is_null()) return network;
  const std::vector<std::int64_t> kept = remaining_layers(before, sharing, pruning);
  const bool language = text_under(all, "model_type") == "transformer";
  const auto found = all.find(language ? "layers" : "num_hidden_layers");
  if (found == all.end() || !found->is_number_integer()) return network;
  const auto layers = found->get<std::int64_t>();
  if (layers == before) {
    *found = std::ssize(kept);
  } else if (language && (layers == 2 * before || layers == 2 * before - 1)) {
    // Each layer of the file runs twice, but the last one of an odd number once.
    const bool last = !kept.empty() && kept.back() == before - 1;
    *found = 2 * std::ssize(kept) - (last ? 2 * before - layers : 0);
  }
  return one_line(all);
}

}  // namespace parsimony::quant
