#include "run/encoder_names.hpp"

#include "run/model_path.hpp"

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
  const std::filesystem::path config = folder_of(model, folder) / "config.json";
  if (weights.network() != nullptr && (folder.empty() || !std::filesystem::exists(config))) {
    return data::parse_encoder_config(*weights.network(),
                                      weights.name() + ": " + std::string(quant::kNetworkKey));
  }
  return data::read_encoder_config(config);
}

}  // namespace parsimony::run
