// Networks for ONNX Runtime and other engines that read ONNX.
#pragma once

#include <cstdint>
#include <filesystem>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/run/image_network.hpp"

namespace parsimony::run {

enum class OnnxWeights {
  int8,   ///< a signed byte for each weight and a scale for each output
  floats  ///< float32
};

constexpr auto names_of(OnnxWeights) {
  using enum OnnxWeights;
  return enum_names<OnnxWeights>({{int8, "int8"}, {floats, "floats"}});
}

struct OnnxOptions {
  /// Bytes take a quarter of the file. Linear layers then multiply bytes (DynamicQuantizeLinear,
  /// MatMulInteger), with one scale for all activations of a layer; convolutions and embeddings turn their
  /// weights into floats first, convolutions when the file is loaded.
  OnnxWeights weights = OnnxWeights::int8;
  PaddingChoice padding = PaddingChoice::automatic;  ///< for EfficientNets
  std::filesystem::path folder;                      ///< as LoadOptions has it
};

template <OptionsOf<OnnxOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"weights",
              "int8 takes a quarter of the bytes, and linear layers multiply integers; floats are exact"},
        options.weights);
  visit(Field{"padding", "zeros around the inputs of the convolutions of an EfficientNet"}, options.padding);
  visit(Field{"folder", "folder with config.json, where it is not that of the model"}, options.folder);
}

/// Writes a model file of ONNX (opset 17, IR version 8) for an EfficientNet, BERT or RoBERTa, compact or not,
/// as load_image_network() and load() read them. Weights are decoded.
///
/// EfficientNet: images (float, batch × 3 × height × width, normalized) → logits (batch × classes).
/// BERT and RoBERTa: input_ids, attention_mask and, for BERT, token_type_ids (int64, batch × tokens) →
/// last_hidden_state (batch × tokens × width), or with a classification head logits (batch × classes).
/// All sizes in batches, tokens and pixels are free.
///
/// report: stages "read" and "write"; figures "network", "nodes", "weights" (number of those that are bytes)
/// and "bytes" of the file.
///
/// Throws what load_image_network() and load() throw; unsupported for a file above 2 GiB, the limit of the
/// format; io. Memory: at most three times the file, which grows by doubling.
Report export_onnx(const std::filesystem::path& model, const OutputPath& output,
                   const OnnxOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::run
