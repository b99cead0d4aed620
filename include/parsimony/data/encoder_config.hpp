// The shape of a BERT or RoBERTa, as the config.json beside its weights describes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony::data {

enum class EncoderKind {
  bert,
  roberta  ///< positions count from padding_token + 1 on
};

constexpr auto names_of(EncoderKind) {
  using enum EncoderKind;
  return enum_names<EncoderKind>({{bert, "bert"}, {roberta, "roberta"}});
}

struct EncoderConfig {
  EncoderKind kind = EncoderKind::bert;
  std::int64_t vocabulary = 0;
  std::int64_t positions = 0;  ///< rows of the position embedding
  std::int64_t token_types = 0;
  std::int64_t layers = 0;
  std::int64_t width = 0;  ///< values per token, a multiple of heads
  std::int64_t heads = 0;
  std::int64_t feed_forward = 0;
  std::int64_t padding_token = 0;
  double norm_epsilon = 1e-12;
  double dropout = 0.1;             ///< in training
  std::int64_t classes = 2;         ///< outputs of a classification head
  std::vector<std::string> labels;  ///< names of the classes; empty if the file names none
  /// Layers 2 n and 2 n + 1 have the same weights, which a file may have under the first name alone. No
  /// config.json tells it.
  bool share_adjacent = false;

  /// Most tokens of a text.
  std::int64_t longest_text() const {
    return kind == EncoderKind::roberta ? positions - padding_token - 1 : positions;
  }
};

/// Reads the config.json of Hugging Face's transformers: model_type bert, roberta or xlm-roberta, vocab_size,
/// max_position_embeddings, type_vocab_size, num_hidden_layers, hidden_size, num_attention_heads,
/// intermediate_size, pad_token_id, layer_norm_eps, hidden_dropout_prob, and id2label, with a name for
/// each class, or num_labels. It ignores other keys.
///
/// Throws io; format for a file that is not such an object, with the key and its range; unsupported for
/// another model_type, an activation other than gelu, and relative positions.
EncoderConfig read_encoder_config(const std::filesystem::path& file);
/// The same from a text; messages begin with the name.
EncoderConfig parse_encoder_config(std::string_view text, const std::string& name);

}  // namespace parsimony::data
