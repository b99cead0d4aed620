#include "support/startup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "parsimony/core/output_file.hpp"

namespace parsimony::cli {
namespace {

extern "C" void end_without_files(int signal) {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

std::terminate_handler usual_terminate = nullptr;

// An exception that no memory is left for ends in std::terminate(), and no destructor runs.
[[noreturn]] void terminate_without_files() {
  const int error = errno;  // the usual end tells lack of memory by it
  remove_temporary_files();
  errno = error;
  if (usual_terminate != nullptr) usual_terminate();
  std::abort();
}

}  // namespace

void prepare_process() {
  usual_terminate = std::set_terminate(terminate_without_files);
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  struct sigaction action {};
  if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    action.sa_handler = end_without_files;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGPIPE, &action, nullptr);
  }
}

bool is_input_closed() {
  const int flags = fcntl(STDIN_FILENO, F_GETFL);
  return flags < 0 || (flags & O_ACCMODE) == O_WRONLY;
}

}  // namespace parsimony::cli
