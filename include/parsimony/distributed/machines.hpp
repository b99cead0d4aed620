// MPI around a computation: started once, ended with the program.
#pragma once

#include <memory>

#include "parsimony/core/processes.hpp"

namespace parsimony::distributed {

/// Starts MPI (and PETSc, if the halo uses it), and ends both when it is destroyed. One per program; the
/// processes are those that mpirun has started, or this one alone.
class Machines {
 public:
  Machines();
  ~Machines();
  Machines(const Machines&) = delete;
  Machines& operator=(const Machines&) = delete;

  const Processes& processes() const;
  /// Number of threads for this process: the cores that it is bound to, or its share of those of its machine.
  int default_threads() const;
  /// For a process that has failed: whether all processes call this within about a second, so that none waits
  /// for another and one of them may speak for all.
  bool all_fail() const;
  /// Ends all processes at once with this exit code. For a process that cannot go on while the others wait
  /// for it.
  [[noreturn]] void end_all(int exit_code) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parsimony::distributed
