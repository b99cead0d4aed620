// Transformers whose layers are shared or left out: smaller files of networks that were trained for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

enum class LayerSharing {
  none,
  pairs,  ///< layers 0 and 1, 2 and 3, … have the tensors of the first of both
};

enum class LayerPruning {
  none,
  every_other,  ///< layers 1, 3, 5, … are left out; with pairs, every second pair
};

constexpr auto names_of(LayerSharing) {
  using enum LayerSharing;
  return enum_names<LayerSharing>({{none, "none"}, {pairs, "pairs"}});
}

constexpr auto names_of(LayerPruning) {
  using enum LayerPruning;
  return enum_names<LayerPruning>({{none, "none"}, {every_other, "every-other"}});
}

/// Equal layers of a model, such as those of encoder.layer.0.… to encoder.layer.11.…
struct LayerStack {
  std::string prefix;       ///< "encoder.layer."
  std::int64_t layers = 0;  ///< 2 at least
};

/// The stacks of a model: tensors named PREFIX.NUMBER.REST, PREFIX ending in "layer", "layers", "h", "block"
/// or "blocks", numbered from 0 on without gaps, with the same names, dtypes and shapes in every layer. So
/// BERT, RoBERTa, GPT-2, fairseq's language models and most decoders have one, and convolutional networks,
/// whose layers differ, have none.
std::vector<LayerStack> layer_stacks(const ModelTensors& model);

/// The tensors of the model after sharing and pruning. The layers that remain are numbered from 0 on. Shared
/// layers show the same bytes, which a compact file holds once. The bytes of the model must outlive the
/// result.
///
/// A network stands this where it was trained with shared layers, or with layers dropped at random
/// [fan2021training, fan2020reducing]; others lose most of what they learned. Throws unsupported for a model
/// without a stack of layers.
ModelTensors share_and_prune(const ModelTensors& model, LayerSharing sharing, LayerPruning pruning);

/// Numbers of the layers that remain of so many, in their order.
std::vector<std::int64_t> remaining_layers(std::int64_t layers, LayerSharing sharing, LayerPruning pruning);

/// The text of a configuration (config.json of transformers) for the pruned model: num_hidden_layers,
/// n_layer, num_layers, n_layers, encoder_layers and decoder_layers of `before` become `after`. Throws format
/// for text that is not a JSON object.
std::string pruned_config(const std::string& text, const std::string& name, std::int64_t before,
                          std::int64_t after);

}  // namespace parsimony::quant
