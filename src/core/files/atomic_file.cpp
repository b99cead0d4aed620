// Implements the writing of parsimony/core/file.hpp.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/files/compression.hpp"
#include "core/files/descriptor.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony {

void throw_io(const char* what, const std::filesystem::path& path) {
  const std::string name = path == "/dev/stdout" ? "the standard output" : path.string();
  throw Error(ErrorCode::io, fmt::format("cannot {} {}: {}", what, name, std::strerror(errno)));
}

struct AtomicFile::State {
  std::filesystem::path target;
  std::filesystem::path temporary;  // empty: written in place
  Descriptor file{-1};
  std::unique_ptr<Compressor> compressor;
  bool finished = false;

  ~State() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  void open() {
    struct stat info {};
    if (target == "/dev/stdout") {  // opened again, a redirected file would be written from its start
      file = Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
      if (file.get() < 0) throw_io("write", target);
      return;
    }
    const bool exists = ::stat(target.c_str(), &info) == 0;
    if (exists && !S_ISREG(info.st_mode)) {
      file = Descriptor(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
      if (file.get() < 0) throw_io("write", target);
      return;
    }
    if (exists)
      target = std::filesystem::canonical(target);  // a link stays a link, what it names is replaced
    const mode_t mode = exists ? info.st_mode & 07777 : 0666;
    for (int attempt = 0; file.get() < 0; ++attempt) {
      std::filesystem::path candidate = target;
      candidate += fmt::format(".{}-{}.partial", ::getpid(), attempt);
      file = Descriptor(::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      if (file.get() >= 0) {
        temporary = candidate;
      } else if (errno != EEXIST || attempt == 1000) {
        throw_io("write", target);
      }
    }
  }

  void write_raw(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw_io("write", target);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
};

AtomicFile::AtomicFile(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->target = path;
  state_->open();
  state_->compressor =
      make_compressor(compression_of_ending(path),
                      [state = state_.get()](std::string_view bytes) { state->write_raw(bytes); });
}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::string_view bytes) {
  state_->compressor->write(bytes);
}

std::filesystem::path AtomicFile::finish() {
  if (!std::exchange(state_->finished, true)) state_->compressor->finish();
  return state_->temporary;
}

void AtomicFile::commit() {
  State& state = *state_;
  finish();
  if (state.temporary.empty()) {
    if (state.file.close() != 0) throw_io("write", state.target);
    return;
  }
  if (::fsync(state.file.get()) != 0 || state.file.close() != 0) throw_io("write", state.target);
  if (::rename(state.temporary.c_str(), state.target.c_str()) != 0) throw_io("write", state.target);
  state.temporary.clear();
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace parsimony
