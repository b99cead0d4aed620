// The surroundings of a computation: threads, memory, cancellation, progress and messages. Passed to
// functions, never global.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include "parsimony/core/memory.hpp"

namespace parsimony {

enum class LogLevel { info, warning };

/// The default number of threads: the cores that this process may use (by affinity and cgroup quota), or
/// OMP_NUM_THREADS if that is set and smaller.
int default_thread_count();

/// Results do not depend on the number of threads: work is cut into blocks of fixed size, and partial sums
/// are added in the order of the blocks.
class Context {
 public:
  /// threads: 1 to 4096, or 0 for default_thread_count(); throws invalid_argument for other numbers.
  explicit Context(int threads = 0);

  std::stop_token stop;  ///< long work checks it once per block and throws Error(cancelled)
  /// Called once per step of a stage, from any thread but never from two at a time.
  std::function<void(std::string_view stage, std::int64_t done, std::int64_t total)> on_progress;
  std::function<void(LogLevel level, std::string_view text)> on_log;

  /// The bytes that the process may use, in readers, methods and writers. Work that needs more by its
  /// estimate is refused before it starts.
  MemoryLimit memory;

  /// Throws memory_limit, which names `what` and ends with `advice`, unless this many more bytes fit into the
  /// limit beside those in use.
  void require_memory(std::int64_t bytes, std::string_view what, std::string_view advice = {}) const;
  /// The bytes that are left of the limit, at least 1; 0: no limit.
  std::int64_t memory_left() const noexcept;
  /// The most bytes that were required so far, with those in use then; 0: none were.
  std::int64_t memory_estimate() const noexcept;

  int threads() const noexcept { return threads_; }
  void check_cancelled() const;  ///< throws Error(cancelled) after the stop token was triggered
  void progress(std::string_view stage, std::int64_t done, std::int64_t total) const;
  void log(LogLevel level, std::string_view text) const;
  /// A context for part `index` of `count` equal parts of `stage`: its progress is reported as progress of
  /// the stage. This context and the characters of `stage` must outlive it.
  Context part(std::string_view stage, std::int64_t index, std::int64_t count) const;

  /// Calls body(begin, end) for the blocks [0, block), [block, 2·block), … of [0, count), in any order and
  /// from several threads. begin / block is the index of the block. Rethrows the first exception of a body.
  void for_blocks(std::int64_t count, std::int64_t block,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body) const;

  /// Returns the sum of body(begin, end) over the same blocks, added in the order of the blocks.
  double sum_blocks(std::int64_t count, std::int64_t block,
                    const std::function<double(std::int64_t begin, std::int64_t end)>& body) const;

 private:
  struct Arena;
  int threads_;
  std::shared_ptr<Arena> arena_;
  std::shared_ptr<std::atomic<std::int64_t>> memory_estimate_;
};

}  // namespace parsimony
