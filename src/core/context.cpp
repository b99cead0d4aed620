#include "parsimony/core/context.hpp"

#include <fmt/format.h>
#ifdef PARSIMONY_WITHOUT_TBB
#include <sched.h>
#else
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#endif

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include "core/count_of.hpp"
#ifdef PARSIMONY_WITHOUT_TBB
#include "core/worker_threads.hpp"
#else
#include "core/start_arena.hpp"
#endif
#include "parsimony/core/error.hpp"

// The system's oneTBB is not built with ThreadSanitizer, which therefore reports false races inside it and
// does not see the order it imposes. Under that sanitizer plain threads replace it, so that races in our loop
// bodies are found.
#if defined(__SANITIZE_THREAD__)
#define PARSIMONY_PLAIN_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PARSIMONY_PLAIN_THREADS 1
#endif
#endif

namespace parsimony {
namespace {

constexpr int kMaxThreads = 4096;

// Cores of the CPU quota of the cgroup (version 2), rounded up; a large number without a quota.
int cgroup_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || period <= 0) return kMaxThreads;
  return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

int environment_threads() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  const int value = text ? std::atoi(text) : 0;
  return value > 0 ? value : kMaxThreads;
}

#ifdef PARSIMONY_WITHOUT_TBB
int usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return CPU_COUNT(&cores);
  return std::max(1U, std::thread::hardware_concurrency());  // more processors than the set has room for
}
#else
int usable_cores() {
  return oneapi::tbb::info::default_concurrency();
}
#endif

}  // namespace

int default_thread_count() {
  return std::min({usable_cores(), cgroup_cores(), environment_threads()});
}

#ifdef PARSIMONY_WITHOUT_TBB
struct Context::Arena {
  explicit Arena(int threads) : workers(threads) {}
  WorkerThreads workers;
};
#else
struct Context::Arena {
  explicit Arena(int threads) : tbb(threads) {
    // oneTBB uses more threads than cores only if told so.
    if (threads > oneapi::tbb::info::default_concurrency()) {
      limit.emplace(oneapi::tbb::global_control::max_allowed_parallelism, threads);
    }
  }

  // Results do not depend on the number of threads, so that a run goes on with those that it gets.
  void start(const Context& context) {
    const int wanted = context.threads(), started = start_arena(tbb, wanted);
    parallel = started > 1;
    if (started == wanted) return;
    context.log(
        LogLevel::info,
        fmt::format(
            "only {} of {} can be started, by a limit of processes or of memory; the run goes on with {}",
            started, count_of(wanted, "thread"), started));
  }

  std::optional<oneapi::tbb::global_control> limit;
  oneapi::tbb::task_arena tbb;
  std::once_flag once;
  bool parallel = true;
};
#endif

Context::Context(int threads) : threads_(threads == 0 ? default_thread_count() : threads) {
  if (threads < 0 || threads > kMaxThreads) {
    refuse(fmt::format("threads: {} is out of range; must be 1 to {}, or 0 for all cores", threads,
                       kMaxThreads));
  }
  arena_ = std::make_shared<Arena>(threads_);
  memory_estimate_ = std::make_shared<std::atomic<std::int64_t>>(0);
}

void Context::require_memory(std::int64_t bytes, std::string_view what, std::string_view advice) const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t in_use = memory_in_use(), needed = bytes > kMost - in_use ? kMost : in_use + bytes;
  std::int64_t most = *memory_estimate_;
  while (needed > most && !memory_estimate_->compare_exchange_weak(most, needed)) {
  }
  if (memory.bytes == 0) return;
  if (needed <= memory.bytes) {
    if (memory.of_system() && needed > memory.bytes / 10 * 9) {
      log(LogLevel::info, fmt::format("{} needs about {}, and {} in use; {} has {}", what,
                                      count_of(bytes, "byte"), in_use, text_of(memory.source), memory.bytes));
    }
    return;
  }
  throw Error(ErrorCode::memory_limit,
              fmt::format("{}{} needs about {} beside the {} in use, more than the {} of {}{}{}",
                          memory.of_system() ? "" : "max_memory: ", what, count_of(bytes, "byte"), in_use,
                          memory.bytes, text_of(memory.source), advice.empty() ? "" : "; ", advice));
}

std::int64_t Context::memory_left() const noexcept {
  return memory.bytes == 0 ? 0 : std::max<std::int64_t>(1, memory.bytes - memory_in_use());
}

std::int64_t Context::memory_estimate() const noexcept {
  return *memory_estimate_;
}

void Context::check_cancelled() const {
  if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
}

void Context::progress(std::string_view stage, std::int64_t done, std::int64_t total) const {
  check_cancelled();
  if (on_progress) on_progress(stage, done, total);
}

void Context::log(LogLevel level, std::string_view text) const {
  if (on_log) on_log(level, text);
}

Context Context::part(std::string_view stage, std::int64_t index, std::int64_t count) const {
  Context inner = *this;
  if (on_progress) {
    inner.on_progress = [this, stage, index, count](std::string_view, std::int64_t done, std::int64_t total) {
      on_progress(stage, index * total + done, count * total);
    };
  }
  return inner;
}

void Context::for_blocks(std::int64_t count, std::int64_t block,
                         const std::function<void(std::int64_t, std::int64_t)>& body) const {
  if (count <= 0) return;
  const std::int64_t blocks = (count + block - 1) / block;
  const auto run = [&](std::int64_t index) {
    check_cancelled();
    body(index * block, std::min(count, (index + 1) * block));
  };
  if (threads_ == 1 || blocks == 1) {
    for (std::int64_t index = 0; index < blocks; ++index) run(index);
    return;
  }
#ifdef PARSIMONY_WITHOUT_TBB
  arena_->workers.run(blocks, run);
#elif defined(PARSIMONY_PLAIN_THREADS)
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads_; ++t) {
    workers.emplace_back([&] {
      try {
        for (std::int64_t index; (index = next++) < blocks;) run(index);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!failure) failure = std::current_exception();
        next = blocks;
      }
    });
  }
  workers.clear();  // joins
  if (failure) std::rethrow_exception(failure);
#else
  std::call_once(arena_->once, [&] { arena_->start(*this); });
  if (!arena_->parallel) {
    for (std::int64_t index = 0; index < blocks; ++index) run(index);
    return;
  }
  arena_->tbb.execute([&] { oneapi::tbb::parallel_for(std::int64_t{0}, blocks, run); });
#endif
}

double Context::sum_blocks(std::int64_t count, std::int64_t block,
                           const std::function<double(std::int64_t, std::int64_t)>& body) const {
  if (count <= 0) return 0;
  std::vector<double> partial((count + block - 1) / block);
  for_blocks(count, block,
             [&](std::int64_t begin, std::int64_t end) { partial[begin / block] = body(begin, end); });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

}  // namespace parsimony
