#include "run.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bindings.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::python {
namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(50);
constexpr int kPollsAtExit = 40;

// When the interpreter has ended, it ends each daemon thread that asks for its lock, in the middle of C++
// code, which aborts the process. So no thread may be without the lock then.
std::atomic<int> without_lock = 0;
std::atomic<bool> exiting = false;

void wait_at_exit() {
  exiting = true;
  const nb::gil_scoped_release released;
  for (int polls = 0; polls < kPollsAtExit && without_lock > 0; ++polls) {
    std::this_thread::sleep_for(kPollEvery);
  }
}

// Levels of Python's logging.
constexpr int kInfo = 20, kWarning = 30;

struct Step {
  std::string stage;
  std::int64_t done = 0, total = 0;
};

struct Message {
  int level = 0;
  std::string text;
};

// News of the work for the thread that called. Progress is the latest step, so that a slow callback delays
// nothing.
class News {
 public:
  void attach(Context& context, const Call& call) {
    if (!call.progress.is_none()) {
      context.on_progress = [this](std::string_view stage, std::int64_t done, std::int64_t total) {
        const std::lock_guard lock(guard_);
        step_ = Step{std::string(stage), done, total};
      };
    }
    if (!call.log.is_none()) {
      context.on_log = [this](LogLevel level, std::string_view text) {
        const std::lock_guard lock(guard_);
        messages_.push_back({level == LogLevel::warning ? kWarning : kInfo, std::string(text)});
      };
    }
  }

  void finish() {
    const std::lock_guard lock(guard_);
    finished_ = true;
    changed_.notify_one();
  }

  // Waits for the end, at most until the next poll; returns whether it has come.
  bool wait() {
    std::unique_lock lock(guard_);
    changed_.wait_for(lock, kPollEvery, [&] { return finished_; });
    return finished_;
  }

  // Hands over what is new. The GIL must be held; throws the exception of a callback.
  void tell(const Call& call) {
    std::optional<Step> step;
    std::vector<Message> messages;
    {
      const std::lock_guard lock(guard_);
      step.swap(step_);
      messages.swap(messages_);
    }
    for (const Message& message : messages) {
      call.log(message.level, nb::str(message.text.data(), message.text.size()));
    }
    if (step) call.progress(nb::str(step->stage.data(), step->stage.size()), step->done, step->total);
  }

 private:
  std::mutex guard_;
  std::condition_variable changed_;
  bool finished_ = false;
  std::optional<Step> step_;
  std::vector<Message> messages_;
};

void run_here(const Call& call, const std::function<void(const Context&)>& work) {
  Context context(1);
  News news;
  news.attach(context, call);
  work(context);
  news.tell(call);
}

void run_on_a_thread(const Call& call, const std::function<void(const Context&)>& work) {
  Context context(call.threads);
  std::stop_source stop;
  context.stop = stop.get_token();
  context.memory = memory_limit(call.max_memory);
  News news;
  news.attach(context, call);
  std::exception_ptr failure, of_python;
  const bool before_exit = !exiting;
  {
    const Released released;
    std::thread worker([&] {
      try {
        work(context);
      } catch (...) {
        failure = std::current_exception();
      }
      news.finish();
    });
    for (bool finished = false; !finished;) {
      finished = news.wait();
      if (before_exit && exiting) {
        stop.request_stop();
        worker.join();
        --without_lock;
        while (true) std::this_thread::sleep_for(std::chrono::hours(1));  // until the process ends
      }
      const nb::gil_scoped_acquire held;
      if (of_python) continue;
      try {
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
        news.tell(call);
      } catch (...) {
        of_python = std::current_exception();
        stop.request_stop();
      }
    }
    worker.join();
  }
  if (of_python) std::rethrow_exception(of_python);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

Released::Released() {
  if (exiting) return;  // set with the lock held, as it is here
  ++without_lock;
  released_.emplace();
}

Released::~Released() {
  if (!released_) return;
  released_.reset();
  --without_lock;
}

void bind_run(nb::module_&) {
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&wait_at_exit));
}

void run_work(const Call& call, double operations, const std::function<void(const Context&)>& work) {
  try {
    if (operations < kSmallWork) {
      run_here(call, work);
    } else {
      run_on_a_thread(call, work);
    }
  } catch (const Error& error) {
    call.throw_in_keywords(error);
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::internal, std::string("the system gives no thread: ") + error.what());
  }
}

}  // namespace parsimony::python
