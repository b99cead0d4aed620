// Starts training processes that meet on this machine.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "parsimony/train/training_processes.hpp"
#include "train/free_port.hpp"

namespace parsimony::train {

/// Starts body in `count` processes and returns their numbers. The calling process must not have computed by
/// LibTorch: its threads would be missing. Exit codes: that of body, 99 for an exception.
inline std::vector<pid_t> start_processes(int count, const std::function<int(TrainingProcesses&)>& body,
                                          std::chrono::seconds patience = Rendezvous{}.patience) {
  const int port = free_port();
  std::vector<pid_t> out;
  for (int rank = 0; rank < count; ++rank) {
    out.push_back(fork());
    if (out.back() != 0) continue;
    try {
      const std::unique_ptr<TrainingProcesses> processes =
          meet({.rank = rank, .count = count, .address = "127.0.0.1", .port = port, .patience = patience},
               [](int code, const std::string&) { _exit(code); });
      const int code = body(*processes);
      if (code == 0) processes->finish();
      _exit(code);
    } catch (...) {
      _exit(99);
    }
  }
  return out;
}

/// The exit code, or 128 + the signal.
inline int end_of(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace parsimony::train
