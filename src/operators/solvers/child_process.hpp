// A piece of work in a process of its own, for libraries that do not survive a lack of memory.
#pragma once

#include <cstddef>
#include <functional>

#include "parsimony/core/context.hpp"

namespace parsimony::operators {

/// Memory that this process and its children share.
class SharedMemory {
 public:
  /// Throws std::bad_alloc.
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void* data() const { return data_; }

 private:
  void* data_;
  std::size_t bytes_;
};

enum class ChildEnd {
  done,           // `work` returned
  out_of_memory,  // it threw std::bad_alloc
  failed          // it threw something else, or the child was killed
};

/// Runs `work` in a copy of this process, without its standard streams, and waits for it. The child sees the
/// memory of the caller as it is now; only what it writes into a SharedMemory comes back. When `context` is
/// cancelled or this thread ends, the child is killed. `work` must take no lock that another thread may hold.
/// Throws std::bad_alloc where the system has no room for another process.
ChildEnd run_in_child(const std::function<void()>& work, const Context& context);

}  // namespace parsimony::operators
