// What the command tells the shell.
#pragma once

#include "parsimony/core/error.hpp"

namespace parsimony::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,        ///< a bad file, no space, too little memory
  kUsage = 2,         ///< a flag or a value that cannot be
  kNotConverged = 3,  ///< the result was written, but an iteration limit was met
  kCancelled = 130    ///< as the shells say it: 128 + SIGINT
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
