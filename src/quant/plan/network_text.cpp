#include "quant/plan/network_text.hpp"

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

std::string text_under(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string network_text(const std::string& config) {
  nlohmann::json all;
  if (!nests_too_deep(config)) all = nlohmann::json::parse(config, nullptr, false);
  if (!all.is_object()) return {};
  const std::string type = text_under(all, "model_type");
  const bool encoder = type == "bert" || type == "roberta" || type == "xlm-roberta";
  if (!encoder && text_under(all, "architecture").find("efficientnet") == std::string::npos) return {};
  nlohmann::ordered_json kept;
  for (const std::string_view key : kNetworkKeys) {
    const auto found = all.find(key);
    if (found != all.end() && !found->is_null()) kept[std::string(key)] = *found;
  }
  return kept.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace parsimony::quant
