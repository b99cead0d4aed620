// Implements read_bert_config of parsimony/models/bert.hpp.
#include "parsimony/models/bert.hpp"

namespace parsimony::models {

BertOptions read_bert_config(const std::filesystem::path& file, EncoderHead head, bool pooler) {
  const data::EncoderConfig config = data::read_encoder_config(file);
  return {.family = config.kind,
          .head = head,
          .vocabulary = config.vocabulary,
          .positions = config.positions,
          .token_types = config.token_types,
          .layers = config.layers,
          .width = config.width,
          .heads = config.heads,
          .feed_forward = config.feed_forward,
          .padding_token = config.padding_token,
          .classes = config.classes,
          .pooler = pooler,
          .norm_epsilon = config.norm_epsilon,
          .dropout = config.dropout};
}

}  // namespace parsimony::models
