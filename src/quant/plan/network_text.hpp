// The description of a network for the metadata of its compact file.
#pragma once

#include <string>

namespace parsimony::quant {

/// The part of a config.json that tells how the network computes: of a BERT or RoBERTa of transformers, or an
/// EfficientNet of timm. Empty for another network, and for a text that is not a JSON object.
std::string network_text(const std::string& config);

}  // namespace parsimony::quant
