#include "released.hpp"

#include <cxxabi.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bindings.hpp"

namespace parsimony::python {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollEvery = std::chrono::milliseconds(10);
constexpr auto kWaitAtEnd = std::chrono::seconds(2);

// When the interpreter has ended, it ends each daemon thread that asks for its lock, in the middle of C++
// code, which aborts the process. So no thread may ask for the lock then.
std::atomic<bool> ending = false;
std::atomic<int> working = 0;  // threads that gave the lock away
std::atomic<int> asking = 0;   // threads among these that ask for it and saw no end before
std::atomic<int> forks = 0;    // between the first process and this one
std::thread::id ending_thread;

std::stop_source& end() {
  static std::stop_source& source = *new std::stop_source();  // never destroyed: calls outlive static objects
  return source;
}

[[noreturn]] void sleep_forever() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

void wait_for(const std::atomic<int>& threads, Clock::time_point limit) {
  while (threads > 0 && Clock::now() < limit) std::this_thread::sleep_for(kPollEvery);
}

// Work that goes on must not see static objects destroyed.
#ifdef __GLIBC__
void exit_beneath_work(int status, void*) {
  if (working == 0) return;
  std::fflush(nullptr);
  ::_exit(status);
}

void prepare_exit() {
  ::on_exit(&exit_beneath_work, nullptr);
}
#else
void prepare_exit() {  // without on_exit(), the status is not known before the process ends by itself
  std::atexit([] { wait_for(working, Clock::time_point::max()); });
}
#endif

void wait_at_end() {
  ending_thread = std::this_thread::get_id();
  ending = true;
  end().request_stop();
  {
    const nb::gil_scoped_release released;
    wait_for(working, Clock::now() + kWaitAtEnd);
    wait_for(asking, Clock::time_point::max());  // the threads of Python give them the lock by turns
  }
  if (working > 0) prepare_exit();
}

// A child has no thread but the one that forked.
void forget_threads() {
  working = 0;
  asking = 0;
  ++forks;
}

bool is_daemon() {
  return nb::cast<bool>(nb::module_::import_("threading").attr("current_thread")().attr("daemon"));
}

// Announces that this thread asks for the lock, which it does not get if this returns false.
bool may_ask() {
  ++asking;
  if (!ending) return true;
  --asking;
  return false;
}

}  // namespace

Released::Released() : process_(forks) {
  if (!ending) {  // set with the lock held, as it is here
    ++working;
    released_.emplace();
  } else if (std::this_thread::get_id() != ending_thread && is_daemon()) {
    const nb::gil_scoped_release released;
    sleep_forever();
  }
}

Released::~Released() {
  if (!released_) return;
  if (!may_ask()) sleep();
  released_.reset();
  --asking;
  if (!forked()) --working;
}

void Released::sleep() const {
  if (!forked()) --working;
  sleep_forever();
}

bool Released::forked() const {
  return process_ != forks;
}

Held::Held(const Released& released) {
  if (!released.released_) return;
  held_ = may_ask();
  if (!held_) return;
  taken_.emplace();
  --asking;
}

std::stop_token end_of_interpreter() {
  return ending ? std::stop_token() : end().get_token();
}

Context context_until_end(int threads) {
  Context context(threads);
  context.stop = end_of_interpreter();
  return context;
}

void call_python(const nb::object& function, const nb::tuple& arguments) {
  PyObject* result = nullptr;
#ifdef __GLIBCXX__
  try {
    result = PyObject_Call(function.ptr(), arguments.ptr(), nullptr);
  } catch (const abi::__forced_unwind&) {  // the frames above would use Python without its lock
    sleep_forever();
  }
#else
  result = PyObject_Call(function.ptr(), arguments.ptr(), nullptr);
#endif
  if (result == nullptr) throw nb::python_error();
  Py_DECREF(result);
}

void bind_released(nb::module_&) {
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&wait_at_end));
  ::pthread_atfork(nullptr, nullptr, &forget_threads);
}

}  // namespace parsimony::python
