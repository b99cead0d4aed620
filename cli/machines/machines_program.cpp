// Implements machines.hpp for parsimony: starts parsimony-mpi, which is beside it.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "core/count_of.hpp"
#include "machines/machines.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "support/processes.hpp"

namespace parsimony::cli {

int run_cluster_on_machines(const ClusterSettings&, const CLI::App&, Terminal&) {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::string program = self.parent_path() / "parsimony-mpi";
  std::string words = read_file("/proc/self/cmdline");  // each ends with a zero byte
  std::vector<char*> arguments;
  for (std::size_t at = 0; at < words.size(); at += std::strlen(words.data() + at) + 1) {
    arguments.push_back(words.data() + at);
  }
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  const int error = errno;
  if (error == ENOENT) {
    throw Error(ErrorCode::unsupported,
                fmt::format("cluster: {} of mpirun need parsimony-mpi beside this program; build it with "
                            "-DPARSIMONY_DISTRIBUTED=ON (Debian and Ubuntu: petsc-dev libopenmpi-dev "
                            "openmpi-bin), or start parsimony without mpirun",
                            count_of(started_processes(), "process", "processes")));
  }
  throw Error(ErrorCode::io, fmt::format("{}: cannot be started: {}", program, std::strerror(error)));
}

}  // namespace parsimony::cli
