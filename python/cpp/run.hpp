// Runs work of the library for a Python thread.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "call.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::python {

/// Work of fewer elementary operations than this takes less than a tenth of a millisecond.
inline constexpr double kSmallWork = 1e5;
/// Work that is not small, however small its input is.
inline constexpr double kLongWork = 1e9;

/// Runs the work; operations: how many it takes, roughly. The GIL must be held and no reference to a Python
/// object may be used in the work.
///
/// Small work runs at once, on one thread and with the GIL held. All other work runs on a thread of its own
/// with the GIL released, while the calling thread looks for signals every 50 ms and hands over progress and
/// messages. An exception of a signal's handler (KeyboardInterrupt) or of a callback stops the work and is
/// thrown, as soon as the work has stopped. Errors of the library name keywords instead of options. At the
/// end of the interpreter, work that daemon threads wait for is stopped. In a child that a callback forks,
/// the call ends with the exception of the callback, or as cancelled.
void run_work(const Call& call, double operations, const std::function<void(const Context&)>& work);

/// The same for work that returns a value.
template <class Work>
auto run(const Call& call, double operations, Work&& work) {
  std::optional<std::invoke_result_t<Work, const Context&>> result;
  run_work(call, operations, [&](const Context& context) { result.emplace(work(context)); });
  return std::move(*result);
}

}  // namespace parsimony::python
