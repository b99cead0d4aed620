// A training run that can be broken off anywhere and goes on as if it had not been.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace torch {
namespace nn {
class Module;
}
namespace optim {
class Optimizer;
}
}  // namespace torch

namespace parsimony::train {

class Ipq;
class Noise;

/// What a run consists of. All must be built as in the run that wrote the checkpoint: the same model, the
/// same optimizer over its parameters and centroids.
struct TrainingState {
  torch::nn::Module& model;
  torch::optim::Optimizer& optimizer;
  Noise* noise = nullptr;                                  ///< its step and codebooks, where there is one
  std::map<std::string, std::int64_t> position{};          ///< of the caller: epoch, step, …
  const Ipq* ipq = nullptr;                                ///< its codes and centroids, where there is one
  std::map<std::string, std::string> texts{};              ///< of the caller: what the run was told
  std::map<std::string, std::vector<double>> histories{};  ///< of the caller: losses, …
};

/// Parameters and buffers, the optimizer's state, the state of LibTorch's generator on the CPU, the noise,
/// the codes and what the caller adds, in a file of LibTorch's format, which is replaced when it is complete:
/// whoever is killed while writing leaves the one before. Throws io.
void save_checkpoint(const std::filesystem::path& path, const TrainingState& state);

/// A checkpoint that was read, whose parts are taken one after the other: an optimizer of centroids can be
/// made only when the codes are back.
class Checkpoint {
 public:
  /// Throws io, and format for a file that is no checkpoint.
  explicit Checkpoint(const std::filesystem::path& path);
  Checkpoint(Checkpoint&&) noexcept;
  ~Checkpoint();

  const std::map<std::string, std::int64_t>& position() const;
  const std::map<std::string, std::string>& texts() const;

  /// Throws format where there are no codes for this model.
  void restore(Ipq& ipq) const;
  /// Everything else. Throws format for a checkpoint of another model or optimizer.
  void restore(TrainingState& state) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The state as it was, but for codes, which Checkpoint brings back: what follows is the same, bit by bit, on
/// the same machine with as many threads. Throws io, and format for a file that is no checkpoint or one of
/// another model.
void load_checkpoint(const std::filesystem::path& path, TrainingState& state);

}  // namespace parsimony::train
