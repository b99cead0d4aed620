// Weights of models in safetensors files.
#pragma once

#include <filesystem>

namespace torch::nn {
class Module;
}

namespace parsimony::models {

/// Copies the tensors of a file, those of a compact one decoded, into the parameters and buffers of their
/// names. Every parameter and buffer must be there with its shape (but num_batches_tracked, which old files
/// lack, and all ranges of activations, which float networks do: they are unknown then), and nothing else.
/// float32, float16 and bfloat16 are converted, int64 buffers are not.
///
/// Throws io and format: a tensor that is missing, of another shape, or left over is named. The model is as
/// it was then.
void load_weights(torch::nn::Module& model, const std::filesystem::path& path);

/// All parameters and buffers under their names; one that several modules share is stored once, under its
/// first name. Throws io.
void save_weights(const torch::nn::Module& model, const std::filesystem::path& path);

}  // namespace parsimony::models
