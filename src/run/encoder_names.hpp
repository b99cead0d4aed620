// Names of the tensors of a BERT or RoBERTa.
#pragma once

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

}  // namespace parsimony::run
