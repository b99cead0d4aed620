// Threads that take the blocks of one loop after another, for programs without oneTBB.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace parsimony {

class WorkerThreads {
 public:
  /// `threads` with the one that calls run(); the others start in its first call, as many as the system
  /// allows.
  explicit WorkerThreads(int threads) : threads_(threads) {}
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  ~WorkerThreads();

  /// Calls body(0) to body(count − 1) in any order and from several threads, and rethrows the first
  /// exception. A loop within a loop, or beside one from another thread, runs on its own thread alone.
  void run(std::int64_t count, const std::function<void(std::int64_t)>& body);

 private:
  struct Loop;
  void start();
  void work();

  const int threads_;
  std::mutex running_;  // one loop at a time
  std::mutex guard_;    // for the rest
  std::condition_variable changed_;
  Loop* loop_ = nullptr;
  std::uint64_t number_ = 0;  // loops so far
  bool over_ = false, started_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace parsimony
