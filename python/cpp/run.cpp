#include "run.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bindings.hpp"
#include "parsimony/core/error.hpp"
#include "released.hpp"

namespace parsimony::python {
namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(50);

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
      call_python(call.log, nb::make_tuple(message.level, nb::str(message.text.data(), message.text.size())));
    }
    if (step) {
      call_python(call.progress,
                  nb::make_tuple(nb::str(step->stage.data(), step->stage.size()), step->done, step->total));
    }
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

// Work on a thread of its own.
struct Running {
  explicit Running(int threads) : context(threads) {}

  Context context;
  std::stop_source stop;
  News news;
  std::exception_ptr failure;
  std::thread worker;
};

void run_on_a_thread(const Call& call, const std::function<void(const Context&)>& work) {
  auto running = std::make_unique<Running>(call.threads);
  running->context.stop = running->stop.get_token();
  running->context.memory = memory_limit(call.max_memory);
  running->news.attach(running->context, call);
  const std::stop_callback at_end(end_of_interpreter(), [&stop = running->stop] { stop.request_stop(); });
  std::exception_ptr of_python;
  {
    const Released released;
    running->worker = std::thread([&work, &running = *running] {
      try {
        work(running.context);
      } catch (...) {
        running.failure = std::current_exception();
      }
      running.news.finish();
    });
    for (bool finished = false; !finished;) {
      finished = running->news.wait();
      const Held held(released);
      if (!held) {
        running->worker.join();
        released.sleep();
      }
      if (of_python) continue;
      try {
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
        running->news.tell(call);
      } catch (...) {
        of_python = std::current_exception();
        running->stop.request_stop();
      }
      if (released.forked()) {    // by a callback, and the worker is not in this process
        (void)running.release();  // it may have locked parts of it
        if (of_python) std::rethrow_exception(of_python);
        throw Error(ErrorCode::cancelled, "the process forked in a callback: the call goes on in its parent");
      }
    }
    running->worker.join();
  }
  if (of_python) std::rethrow_exception(of_python);
  if (running->failure) std::rethrow_exception(running->failure);
}

}  // namespace

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
