#include "parsimony/run/network_kind.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"
#include "run/model_path.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

NetworkKind network_kind(const std::filesystem::path& model, const Context& context) {
  const Weights weights(weights_path(model), context);
  for (const char* base : {"", "bert.", "roberta."}) {
    if (weights.has(std::string(base) + "embeddings.word_embeddings.weight")) return NetworkKind::encoder;
  }
  if (weights.has("conv_stem.weight")) return NetworkKind::image;
  if (weights.has("layers.0.feed_forward.0.weight")) return NetworkKind::language;
  throw Error(ErrorCode::format,
              fmt::format("{}: has the tensors of no network that runs: a BERT or RoBERTa (transformers), an "
                          "EfficientNet (timm) or a language model of parsimony train",
                          weights.name()));
}

}  // namespace parsimony::run
