// A training run that can be broken off anywhere and goes on as if it had not been.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace torch {
namespace nn {
class Module;
}
namespace optim {
class Optimizer;
}
}  // namespace torch

namespace parsimony::train {

class Noise;

/// What a run consists of. All must be built as in the run that wrote the checkpoint: the same model, the
/// same optimizer over its parameters.
struct TrainingState {
  torch::nn::Module& model;
  torch::optim::Optimizer& optimizer;
  Noise* noise = nullptr;                          ///< its step and codebooks, where there is one
  std::map<std::string, std::int64_t> position{};  ///< of the caller: epoch, step, …
};

/// Parameters and buffers, the optimizer's state, the state of LibTorch's generator on the CPU, the noise and
/// the position, in a file of LibTorch's format, which is replaced when it is complete: whoever is killed
/// while writing leaves the one before. Throws io.
void save_checkpoint(const std::filesystem::path& path, const TrainingState& state);

/// The state as it was: what follows is the same, bit by bit, on the same machine with as many threads.
/// Throws io, and format for a file that is no checkpoint or one of another model.
void load_checkpoint(const std::filesystem::path& path, TrainingState& state);

}  // namespace parsimony::train
