// Several processes that fail, or find something, as one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/processes.hpp"

namespace parsimony {

/// Whether any process says so. Collective.
inline bool any_of(const Processes& processes, bool own) {
  std::int64_t count = own;
  processes.sum(std::span(&count, 1));
  return count > 0;
}

/// The text of the first process whose text is not empty; empty if there is none. Collective.
inline std::string first_text(const Processes& processes, const std::string& own) {
  const auto size = static_cast<std::int64_t>(own.size());
  const std::vector<std::int64_t> sizes = processes.gather(std::span<const std::int64_t>(&size, 1));
  const auto first = std::ranges::find_if(sizes, [](std::int64_t s) { return s > 0; }) - sizes.begin();
  const bool mine = first == processes.rank();
  const std::vector<char> text = processes.gather(std::span<const char>(mine ? own : std::string()));
  return {text.begin(), text.end()};
}

/// Runs body(), which must not communicate, in every process. If it throws an Error (or runs out of memory)
/// in some, all throw the error of the first of them, so that none waits for one that has failed. Collective.
template <class Body>
void together(const Processes& processes, Body&& body) {
  if (processes.count() == 1) {
    body();
    return;
  }
  std::optional<Error> failed;
  try {
    body();
  } catch (const Error& error) {
    failed = error;
  } catch (const std::bad_alloc&) {
    failed = Error(ErrorCode::memory_limit,
                   "process " + std::to_string(processes.rank()) + " needs more memory than there is");
  }
  const std::int64_t code = failed ? static_cast<std::int64_t>(failed->code()) : -1;
  const std::vector<std::int64_t> codes = processes.gather(std::span<const std::int64_t>(&code, 1));
  const auto first = std::ranges::find_if(codes, [](std::int64_t c) { return c >= 0; });
  if (first == codes.end()) return;
  const bool mine = first - codes.begin() == processes.rank();
  const std::vector<char> message =
      processes.gather(std::span<const char>(mine ? std::string(failed->what()) : std::string()));
  throw Error(static_cast<ErrorCode>(*first), std::string(message.begin(), message.end()));
}

}  // namespace parsimony
