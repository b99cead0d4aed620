// Reads and writes the weights of models as safetensors files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/output_file.hpp"
#include "parsimony/core/safetensors.hpp"

namespace torch::nn {
class Module;
}
namespace parsimony::quant {
struct CompactModel;
}

namespace parsimony::models {

/// Copies the tensors of a file, decoded if it is compact, into the parameters and buffers of the same names.
/// The file must have exactly these tensors with their shapes, with two exceptions: num_batches_tracked,
/// which old files lack, and the ranges of activations if the file has none of them (the ranges are unset
/// then). float32, float16 and bfloat16 are converted, int64 buffers are not. A Transformer also takes the
/// names of fairseq (decoder.embed_tokens.…, decoder.layers.0.self_attn.q_proj.weight, …), with or without
/// "decoder."; tensors that are one in the model must then be equal.
///
/// Throws io, and format with the names of the tensors that are missing, left over or of another shape (up to
/// eight of each). The model is unchanged then.
void load_weights(torch::nn::Module& model, const std::filesystem::path& path);

/// The same for a compact model in memory.
void load_weights(torch::nn::Module& model, const quant::CompactModel& compact);

/// The same for an encoder with a head, from a file that may have none or another one: names with `base`
/// ("bert." or "roberta.") may lack it in the file, and all tensors but those of embeddings and layers may be
/// missing or left over. Returns the names of those missing, which stay as they are.
std::vector<std::string> load_encoder_weights(torch::nn::Module& model, const std::string& base,
                                              const std::filesystem::path& path);

/// Writes all parameters and buffers under their names. A tensor that several modules share is stored once,
/// under its first name. The file has network_metadata(). Throws io.
void save_weights(const torch::nn::Module& model, const OutputPath& path);

/// Metadata for the files of a model, beside its weights: for a Transformer an entry `parsimony.network`, by
/// which `parsimony run` knows heads, layers and first_position; otherwise nothing.
TensorMetadata network_metadata(const torch::nn::Module& model);

}  // namespace parsimony::models
