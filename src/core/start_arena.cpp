#ifndef PARSIMONY_WITHOUT_TBB
#include "core/start_arena.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace parsimony {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{100};

// The threads of this process, or 0 where the system does not tell.
std::ptrdiff_t threads_of_process() {
  std::error_code failed;
  const std::filesystem::directory_iterator tasks("/proc/self/task", failed);
  return failed ? 0 : std::distance(begin(tasks), end(tasks));
}

// Starts threads beside each other, up to `wanted`, and returns how many came up.
int startable(int wanted) {
  const std::ptrdiff_t before = threads_of_process();
  std::vector<std::thread> threads;
  std::mutex guard;
  std::condition_variable changed;
  bool over = false;
  try {
    threads.reserve(static_cast<std::size_t>(wanted));
    while (static_cast<int>(threads.size()) < wanted) {
      threads.emplace_back([&] {
        std::unique_lock lock(guard);
        changed.wait(lock, [&] { return over; });
      });
    }
  } catch (const std::exception&) {  // system_error or bad_alloc: no more
  }
  {
    const std::lock_guard lock(guard);
    over = true;
  }
  changed.notify_all();
  for (std::thread& thread : threads) thread.join();
  // The kernel counts a thread for a moment after it was joined.
  const auto end = Clock::now() + kPatience;
  while (threads_of_process() > before && Clock::now() < end) std::this_thread::yield();
  return static_cast<int>(threads.size());
}

// Never freed: a worker may begin late, or not at all before the process ends.
struct Meeting {
  std::atomic<int> arrived{0};
  std::atomic<bool> over{false};
};

// Gives each worker a task that waits for the others. False: oneTBB could not start one.
bool start_workers(oneapi::tbb::task_arena& arena, int workers) {
  static auto& meetings = *new std::deque<Meeting>;  // start_arena() has the mutex
  Meeting* const meeting = &meetings.emplace_back();
  const auto end = Clock::now() + kPatience;
  bool started = true;
  try {
    for (int i = 0; i < workers; ++i) {
      arena.enqueue([meeting] {
        ++meeting->arrived;
        while (!meeting->over) std::this_thread::yield();
      });
    }
    while (meeting->arrived < workers && Clock::now() < end) std::this_thread::yield();
  } catch (const std::exception&) {
    started = false;
  }
  meeting->over = true;
  return started;
}

}  // namespace

int start_arena(oneapi::tbb::task_arena& arena, int threads) {
  static std::mutex guard;
  static int most_started = 1;
  static bool broken = false;  // an arena of oneTBB that misses a worker cannot be used again
  const std::lock_guard lock(guard);
  if (broken) return 1;
  if (threads <= most_started) return threads;
  const int allowed = std::max(most_started, startable(threads - 1) + 1);
  if (allowed == 1) return 1;
  if (allowed < threads) {  // the arena must not ask for more workers
    arena.terminate();
    arena.initialize(allowed);
  }
  if (!start_workers(arena, allowed - 1)) {
    broken = true;
    return 1;
  }
  most_started = allowed;
  return allowed;
}

}  // namespace parsimony
#endif
