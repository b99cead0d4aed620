// The description of a network for the metadata of its compact file.
#pragma once

#include <cstdint>
#include <string>

#include "parsimony/quant/layer_stack.hpp"
#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

/// Whether the tensors are those of a network that network_text() knows.
bool has_network_text(const ModelTensors& model);

/// The part of a config.json that tells how the network computes. The file is that of a BERT or RoBERTa by
/// transformers, or of an EfficientNet by timm. Empty if the tensors are those of another network, and for a
/// text that is not a JSON object.
std::string network_text(const std::string& config, const ModelTensors& model);

/// Such a text, or that of a language model, after share_and_prune() of a model with `before` layers. A text
/// that gives another number of layers, or none, stays.
std::string pruned_network_text(const std::string& network, std::int64_t before, LayerSharing sharing,
                                LayerPruning pruning);

}  // namespace parsimony::quant
