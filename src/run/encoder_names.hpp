// Names of the tensors of a BERT or RoBERTa.
#pragma once

#include <filesystem>
#include <string>

#include "parsimony/data/encoder_config.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

/// The names of the base network begin so: "", bert. or roberta. Throws format where none fits.
std::string encoder_base(const Weights& weights);

/// The two linear layers of a classification head; `scores` is empty for a network without one.
struct HeadNames {
  std::string dense, scores;
};
HeadNames encoder_head(const Weights& weights, const data::EncoderConfig& config);

/// The config.json in `folder`; without one, the description in the metadata of the file; without that, the
/// config.json beside the model.
data::EncoderConfig encoder_config(const Weights& weights, const std::filesystem::path& model,
                                   const std::filesystem::path& folder);

}  // namespace parsimony::run
