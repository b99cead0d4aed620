// Processes that train one network together, each on its share of every batch.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "parsimony/core/processes.hpp"

namespace parsimony::train {

/// The processes of a training run. Every function but claim_failure() is collective: all processes call it
/// in the same order. They throw io if another process is lost. This class itself is the usual case of one
/// process.
class TrainingProcesses : public Processes {
 public:
  using Processes::sum;
  /// Replaces each value by its sum over the processes, which has the same bytes in all of them.
  virtual void sum(std::span<float>) const {}
  /// Replaces each value by the greatest of all processes.
  virtual void maximum(std::span<float>) const {}

  /// Returns when all processes are here, however long process 0 evaluates and writes before. From now on a
  /// process that ends is not a failure.
  virtual void finish() {}

  /// Tells the others that this process fails with this exit code. True in one process alone, which prints
  /// its message: the first to call this, but process 0 before the others if they fail at the same time. Call
  /// it in every process that ends early.
  virtual bool claim_failure(int) { return true; }
};

/// The processes of a run that has one.
const TrainingProcesses& one_training_process();

/// How the processes of a run find each other.
struct Rendezvous {
  int rank = 0;   ///< number of this process, from 0
  int count = 1;  ///< number of processes
  std::string address{};
  int port = 0;
  bool has_store = false;  ///< another program, such as torchrun, listens at the address; else process 0 does
  std::string attempt{};   ///< differs when torchrun starts the processes again
  /// Longest wait in an exchange of training: longer than any work of one process that others wait for. It is
  /// for machines that vanish; a process that ends closes its connections, which others notice at once.
  std::chrono::seconds patience = std::chrono::minutes(30);
};

/// Reads RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, and TORCHELASTIC_USE_AGENT_STORE and
/// TORCHELASTIC_RESTART_COUNT of torchrun. One process where WORLD_SIZE is 1 or not set. Throws
/// invalid_argument, which names the variable that is missing or wrong.
Rendezvous rendezvous_of_environment();

/// Called when another process has failed, with its exit code. It should end this process, after the message
/// if there is one.
using OthersFailed = std::function<void(int exit_code, const std::string& message)>;

/// Meets the other processes by LibTorch's c10d with Gloo, in at most a minute. When another process has
/// claimed a failure, or process 0 has ended, others_failed is called within seconds, in a thread of its own.
/// GLOO_SOCKET_IFNAME chooses a network interface other than that of the host's name.
///
/// Throws unsupported if the library was built without Gloo, and io if the others do not come.
std::unique_ptr<TrainingProcesses> meet(const Rendezvous& where, OthersFailed others_failed);

}  // namespace parsimony::train
