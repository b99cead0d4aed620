// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>

namespace parsimony {

enum class ErrorCode {
  invalid_argument,  ///< an argument is out of range, or arguments contradict each other
  io,                ///< a file cannot be opened, read or written
  format,            ///< the content of a file breaks its format
  unsupported,       ///< valid, but this build or version cannot do it
  memory_limit,      ///< the estimated memory is above the limit of the caller
  cancelled,         ///< the caller's stop token was triggered
  internal           ///< an invariant of the library is broken: please report it
};

/// Thrown for every mistake of the caller and every bad file. The message names the argument or the file,
/// says what is wrong with it and what would be right. An algorithm that does not converge does not throw:
/// the status of its report says so.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// Throws Error(invalid_argument).
[[noreturn]] inline void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

}  // namespace parsimony
