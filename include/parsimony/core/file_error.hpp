// Errors of files with the number that the operating system gives them.
#pragma once

#include <string>

#include "parsimony/core/error.hpp"

namespace parsimony {

/// An Error(io) whose reason has a number of <cerrno>: ENOENT where a file is missing, EACCES where the
/// rights are, EISDIR where a folder is. Errors of files that have none, as that of a file which changed
/// while it was read, are plain Errors.
class FileError : public Error {
 public:
  FileError(int number, const std::string& message) : Error(ErrorCode::io, message), number_(number) {}
  int number() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace parsimony
