#include "run/encoder_names.hpp"

namespace parsimony::run {

std::string encoder_base(const Weights& weights) {
  for (const char* base : {"", "bert.", "roberta."}) {
    if (weights.has(std::string(base) + "embeddings.word_embeddings.weight")) return base;
  }
  weights.fail("embeddings.word_embeddings.weight",
               "is missing, also with bert. or roberta. before it; the network of config.json has it");
}

HeadNames encoder_head(const Weights& weights, const data::EncoderConfig& config) {
  const bool roberta = config.kind == data::EncoderKind::roberta;
  const std::string scores = roberta ? "classifier.out_proj" : "classifier";
  if (!weights.has(scores + ".weight")) return {};
  return {roberta ? "classifier.dense" : encoder_base(weights) + "pooler.dense", scores};
}

data::EncoderConfig encoder_config(const Weights& weights, const std::filesystem::path& model,
                                   const std::filesystem::path& folder) {
  const auto config = config_file(weights, model, folder);
  return config ? data::read_encoder_config(*config)
                : data::parse_encoder_config(*weights.network(), weights.network_name());
}

}  // namespace parsimony::run
