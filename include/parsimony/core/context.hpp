// What a computation runs in: threads, cancellation, progress and messages. Passed, never global.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

namespace parsimony {

enum class LogLevel { info, warning };

/// Threads to use when the caller does not say: the cores this process may run on (affinity and cgroup quota
/// respected), or OMP_NUM_THREADS where it is set and smaller.
int default_thread_count();

/// Results never depend on the number of threads: work is cut into blocks of fixed size and partial sums are
/// combined in the order of the blocks.
class Context {
 public:
  /// threads = 0: default_thread_count(). Throws invalid_argument when negative or above 4096.
  explicit Context(int threads = 0);

  std::stop_token stop;  ///< long work looks at it once per block and throws Error(cancelled)
  /// Called once per step of a stage, from any of the threads, never from two at a time.
  std::function<void(std::string_view stage, std::int64_t done, std::int64_t total)> on_progress;
  std::function<void(LogLevel level, std::string_view text)> on_log;

  int threads() const noexcept { return threads_; }
  void check_cancelled() const;  ///< throws Error(cancelled) once the stop token was triggered
  void progress(std::string_view stage, std::int64_t done, std::int64_t total) const;
  void log(LogLevel level, std::string_view text) const;
  /// The same context for part `index` of `count` equal parts of `stage`: what it reports as its own progress
  /// is passed on as that of the stage. The context and the characters of `stage` must outlive it.
  Context part(std::string_view stage, std::int64_t index, std::int64_t count) const;

  /// Calls body(begin, end) for the blocks [0, block), [block, 2·block), … of [0, count), in any order and
  /// from several threads; begin / block is the index of a block. The first exception thrown by a body is
  /// rethrown.
  void for_blocks(std::int64_t count, std::int64_t block,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body) const;

  /// Sum of body(begin, end) over the same blocks, added in the order of the blocks.
  double sum_blocks(std::int64_t count, std::int64_t block,
                    const std::function<double(std::int64_t begin, std::int64_t end)>& body) const;

 private:
  struct Arena;
  int threads_;
  std::shared_ptr<Arena> arena_;
};

}  // namespace parsimony
