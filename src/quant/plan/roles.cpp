#include "quant/plan/roles.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string>
#include <string_view>

namespace parsimony::quant {
namespace {

// A vocabulary has more entries than any other layer has outputs for its inputs.
constexpr std::int64_t kVocabulary = 8192;

bool has_any(const std::string& name, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

Role role_of_convolution(const std::string& name, const TensorInfo& coded) {
  constexpr std::int64_t kColors = 3, kMostPictureChannels = 4;  // ResNeXt has groups of 4 channels
  const std::int64_t channels = coded.shape[1];
  const std::int64_t positions = coded.values() / coded.shape[0] / channels;
  const bool first = has_any(name, {"stem", "patch_embed", ".conv1.weight", ".features.0.", ".conv_first"});
  if (channels == 1 && positions > 1) {
    return first && !has_any(name, {"dw", "depthwise"}) ? Role::stem : Role::depthwise;
  }
  if (positions > 1 && (channels == kColors || (first && channels <= kMostPictureChannels)))
    return Role::stem;
  return positions == 1 ? Role::pointwise : Role::convolution;
}

}  // namespace

Role role_of(const TensorInfo& coded) {
  std::string name = "." + coded.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  if (has_any(name, {"token_type", "type_embed", "segment_embed"})) return Role::token_type;
  if (has_any(name, {"position", "pos_embed", ".wpe.", "relative_attention_bias"})) return Role::position;
  if (has_any(name, {"weight_ih", "weight_hh", ".lstm.", ".gru.", ".rnn."})) return Role::recurrent;
  if (coded.shape.size() > 2) return role_of_convolution(name, coded);
  const bool vocabulary = coded.shape[0] >= kVocabulary;
  if (has_any(name, {"word_embeddings", "embed_tokens", "wte.", "tok_embeddings", ".shared.", "embedding"})) {
    return Role::embedding;
  }
  if (vocabulary && has_any(name, {"lm_head", "decoder.", "output.weight", "adaptive_softmax", "head"})) {
    return Role::embedding;
  }
  if (has_any(name, {"classifier", "classification", ".head.", ".heads.", "lm_head", ".score.", "logits",
                     "adaptive_softmax", "qa_outputs"}) ||
      name == ".fc.weight" || name == ".linear.weight") {
    return Role::classifier;
  }
  if (has_any(name, {"attn", "attention", "q_proj", "k_proj", "v_proj", "out_proj", "q_lin", "k_lin", "v_lin",
                     "out_lin", ".query.", ".key.", ".value.", "qkv", "in_proj"})) {
    return Role::attention;
  }
  if (has_any(name, {"ffn",          "mlp",          "fc1",    "fc2",       "intermediate",
                     "feed_forward", "c_fc",         "c_proj", "up_proj",   "down_proj",
                     "gate_proj",    "output.dense", ".lin1.", ".lin2.",    "densereludense",
                     ".ff.",         "expert",       "moe",    ".linear1.", ".linear2."})) {
    return Role::ffn;
  }
  if (vocabulary) return Role::embedding;
  return Role::linear;
}

}  // namespace parsimony::quant
