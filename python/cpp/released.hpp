// The interpreter's lock, given away during long work and taken back, also at the end of the interpreter and
// in processes that fork.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <stop_token>

#include "parsimony/core/context.hpp"

namespace parsimony::python {

namespace nb = nanobind;

/// Gives the interpreter's lock to other threads while it lives. The end of the interpreter waits two seconds
/// for it; a thread that would take the lock back after the end has begun sleeps until the process has ended.
/// A daemon thread that makes one after the end has begun sleeps at once, and any other thread keeps the
/// lock.
class Released {
 public:
  Released();
  ~Released();
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

  /// Sleeps until the process has ended. The work must have stopped.
  [[noreturn]] void sleep() const;
  /// Whether this process was forked since then: the other threads of the work are those of its parent.
  bool forked() const;

 private:
  friend class Held;
  int process_;
  std::optional<nb::gil_scoped_release> released_;
};

/// Holds the lock while it lives, within the life of a Released; false if the end of the interpreter has
/// begun.
class Held {
 public:
  explicit Held(const Released& released);
  explicit operator bool() const { return held_; }

 private:
  bool held_ = true;
  std::optional<nb::gil_scoped_acquire> taken_;
};

/// A token that the end of the interpreter triggers; that of a call which begins later is never triggered.
std::stop_token end_of_interpreter();
/// A context with this token, for calls that nothing else stops.
Context context_until_end(int threads);

/// Calls function(arguments…). Sleeps if the end of the interpreter ends the thread in it. Throws its
/// exception.
void call_python(const nb::object& function, const nb::tuple& arguments);

}  // namespace parsimony::python
