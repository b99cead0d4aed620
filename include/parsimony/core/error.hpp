// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>

namespace parsimony {

enum class ErrorCode {
  invalid_argument,  ///< the caller asked for something that cannot be
  io,                ///< a file cannot be opened, read or written
  format,            ///< a file's content is not what its format says
  unsupported,       ///< valid, but this build or version does not do it
  memory_limit,      ///< the estimate is above the limit the caller set
  cancelled,         ///< the caller's stop token was triggered
  internal           ///< a broken promise of the library itself: please report it
};

/// Thrown for every caller mistake and every bad file. The message names the thing, what is wrong with it
/// and what would be right. Not converging is no error: it is a status in the report.
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
