// Errors of one process become errors of all.
#pragma once

#include <new>
#include <optional>
#include <string>
#include <utility>

#include "distributed/communicator.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {

/// Runs body(), which must not communicate, in every process. If it throws an Error (or runs out of memory)
/// in some, all throw the error of the first of them, so that none waits for one that has failed. Collective.
template <class Body>
void together(const Communicator& communicator, Body&& body) {
  std::optional<Error> failed;
  try {
    body();
  } catch (const Error& error) {
    failed = error;
  } catch (const std::bad_alloc&) {
    failed = Error(ErrorCode::memory_limit,
                   "process " + std::to_string(communicator.rank()) + " needs more memory than there is");
  }
  const int count = communicator.count();
  const int first = count - static_cast<int>(communicator.most_of(failed ? count - communicator.rank() : 0));
  if (first == count) return;
  const bool mine = communicator.rank() == first;
  const std::string text = mine ? failed->what() : "";
  const auto code = static_cast<std::int64_t>(mine ? failed->code() : ErrorCode::internal);
  const std::vector<char> message = communicator.gather(std::span<const char>(text));
  const std::vector<std::int64_t> codes = communicator.gather(std::span<const std::int64_t>(&code, 1));
  throw Error(static_cast<ErrorCode>(codes[first]), std::string(message.begin(), message.end()));
}

}  // namespace parsimony::distributed
