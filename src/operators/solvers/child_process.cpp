#include "operators/solvers/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace parsimony::operators {
namespace {

constexpr int kOutOfMemory = 2;  // exit statuses of the child
constexpr int kFailed = 1;
constexpr int kLook = 20;  // milliseconds between two looks at the stop token

[[noreturn]] void be_the_child(const std::function<void()>& work, pid_t parent) {
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the parent, which kills this process
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kFailed);
#endif
  // A library that aborts writes no text over the parent's and leaves no core.
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int stream = 0; stream < 3; ++stream) ::dup2(nowhere, stream);
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  try {
    work();
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  } catch (...) {
    ::_exit(kFailed);
  }
  ::_exit(0);
}

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
      bytes_(bytes) {
  if (data_ == MAP_FAILED) throw std::bad_alloc();
}

SharedMemory::~SharedMemory() {
  ::munmap(data_, bytes_);
}

ChildEnd run_in_child(const std::function<void()>& work, const Context& context) {
  std::array<int, 2> ends;  // the child holds the second open until it ends
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::bad_alloc();
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) be_the_child(work, parent);
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    throw std::bad_alloc();
  }
  pollfd end{.fd = ends[0], .events = POLLIN, .revents = 0};
  while (::poll(&end, 1, kLook) <= 0) {
    if (context.stop.stop_requested()) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  context.check_cancelled();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ChildEnd::done;
  const bool memory = WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory;
  return memory ? ChildEnd::out_of_memory : ChildEnd::failed;
}

}  // namespace parsimony::operators
