// Exit codes of the command: one code for one kind of mistake.
#pragma once

#include "parsimony/core/error.hpp"

namespace parsimony::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,        ///< a file or its data are bad, no space is left, or the memory is too small
  kUsage = 2,         ///< a flag, its value, or a combination of flags is wrong
  kNotConverged = 3,  ///< the result was written, but the iteration limit was reached
  kCancelled = 130    ///< 128 + SIGINT, as shells report it
};

inline ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return kUsage;
    case ErrorCode::cancelled:
      return kCancelled;
    default:
      return kFailed;
  }
}

}  // namespace parsimony::cli
