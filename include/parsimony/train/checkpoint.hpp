// Checkpoints of a training run: a run resumed from one ends like an uninterrupted run.
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

/// The state of a run. To restore it, build the same objects as the run that wrote the checkpoint: the same
/// model and the same optimizer over its parameters and centroids.
struct TrainingState {
  torch::nn::Module& model;
  torch::optim::Optimizer& optimizer;
  Noise* noise = nullptr;                          ///< its step and codebooks are saved; nullptr: no noise
  std::map<std::string, std::int64_t> position{};  ///< counters of the caller: epoch, step, …
  const Ipq* ipq = nullptr;                        ///< its codes and centroids are saved; nullptr: none
  std::map<std::string, std::string> texts{};      ///< texts of the caller, such as its options
  std::map<std::string, std::vector<double>> histories{};  ///< series of the caller: losses, …
};

/// Writes parameters and buffers, the state of the optimizer and of LibTorch's CPU generator, the noise, the
/// codes and the values of the caller to a file in LibTorch's format. The file is replaced once the new one
/// is complete, so that a process killed while writing leaves the previous checkpoint. Throws io.
void save_checkpoint(const std::filesystem::path& path, const TrainingState& state);

/// A checkpoint in memory. Restore the codes first: an optimizer of centroids can be built only then.
class Checkpoint {
 public:
  /// Throws io, and format if the file is not a checkpoint.
  explicit Checkpoint(const std::filesystem::path& path);
  Checkpoint(Checkpoint&&) noexcept;
  ~Checkpoint();

  const std::map<std::string, std::int64_t>& position() const;
  const std::map<std::string, std::string>& texts() const;

  /// Throws format if the checkpoint has no codes for this model.
  void restore(Ipq& ipq) const;
  /// Restores everything else. Throws format for a checkpoint of another model or optimizer.
  void restore(TrainingState& state) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Restores a state without codes (with codes, use Checkpoint). The steps that follow are the same bit by
/// bit, on the same machine with the same number of threads. Throws io, and format if the file is not a
/// checkpoint of this model.
void load_checkpoint(const std::filesystem::path& path, TrainingState& state);

}  // namespace parsimony::train
