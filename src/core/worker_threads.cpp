#include "core/worker_threads.hpp"

#include <system_error>

namespace parsimony {

struct WorkerThreads::Loop {
  std::int64_t count;
  const std::function<void(std::int64_t)>& body;
  std::atomic<std::int64_t> next{0};
  int busy = 0;  // workers within it
  std::exception_ptr failure;

  void take(std::mutex& guard) {
    try {
      for (std::int64_t i; (i = next++) < count;) body(i);
    } catch (...) {
      const std::lock_guard lock(guard);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  }
};

WorkerThreads::~WorkerThreads() {
  {
    const std::lock_guard lock(guard_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void WorkerThreads::start() {
  started_ = true;
  try {
    while (static_cast<int>(workers_.size()) + 1 < threads_) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {  // a limit of processes or memory: fewer threads do the same
  }
}

void WorkerThreads::work() {
  std::unique_lock lock(guard_);
  for (std::uint64_t seen = 0;;) {
    changed_.wait(lock, [&] { return over_ || (loop_ != nullptr && number_ != seen); });
    if (over_) return;
    seen = number_;
    Loop& loop = *loop_;
    ++loop.busy;
    lock.unlock();
    loop.take(guard_);
    lock.lock();
    if (--loop.busy == 0) changed_.notify_all();
  }
}

void WorkerThreads::run(std::int64_t count, const std::function<void(std::int64_t)>& body) {
  static thread_local bool inside = false;
  Loop loop{count, body, {}, 0, {}};
  if (inside || !running_.try_lock()) {
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  const std::lock_guard release(running_, std::adopt_lock);
  if (!started_) start();
  {
    const std::lock_guard lock(guard_);
    loop_ = &loop;
    ++number_;
  }
  changed_.notify_all();
  inside = true;
  loop.take(guard_);
  inside = false;
  std::unique_lock lock(guard_);
  loop_ = nullptr;  // no worker enters any more
  changed_.wait(lock, [&] { return loop.busy == 0; });
  lock.unlock();
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace parsimony
