// A file descriptor that closes itself, and the error of a system call on a file.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <utility>

namespace parsimony {

/// Throws FileError: "cannot WHAT PATH: " and the text of errno.
[[noreturn]] void throw_io(const char* what, const std::filesystem::path& path);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int close() { return fd_ >= 0 ? ::close(std::exchange(fd_, -1)) : 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace parsimony
