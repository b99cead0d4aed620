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

}  // namespace parsimony::run
