#include "parsimony/core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/files/compression.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

[[noreturn]] void throw_io(const char* what, const std::filesystem::path& path) {
  const std::string name = path == "/dev/stdout" ? "the standard output" : path.string();
  throw Error(ErrorCode::io, fmt::format("cannot {} {}: {}", what, name, std::strerror(errno)));
}

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

[[noreturn]] void throw_too_large(const std::filesystem::path& path, std::int64_t max_bytes) {
  throw Error(ErrorCode::memory_limit,
              fmt::format("{}: larger than the limit of {} bytes", path.string(), max_bytes));
}

void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
}

// Waits in short turns: only data or the end of a pipe wakes a reader, not the stop token.
void wait_for_data(int file, const std::stop_token& stop) {
  constexpr int kTurn = 50;  // milliseconds
  pollfd waiting{file, POLLIN, 0};
  do {
    check(stop);
  } while (::poll(&waiting, 1, kTurn) == 0);
}

// Reads instead of mapping: if another process shortens a mapped file, the program is killed.
std::string read_all(const std::filesystem::path& path, std::int64_t max_bytes, const std::stop_token& stop) {
  constexpr std::size_t kMostAtOnce = std::size_t{64} << 20;
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) throw_io("open", path);
  if (max_bytes > 0 && info.st_size > max_bytes) throw_too_large(path, max_bytes);
  std::string bytes(static_cast<std::size_t>(std::max<off_t>(info.st_size, 0)) + 1,
                    '\0');  // + 1 to see the end
  std::size_t used = 0;
  for (;;) {
    wait_for_data(file.get(), stop);
    const ssize_t count = ::read(file.get(), bytes.data() + used, std::min(bytes.size() - used, kMostAtOnce));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) throw_io("read", path);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
    if (max_bytes > 0 && used > static_cast<std::size_t>(max_bytes)) throw_too_large(path, max_bytes);
    if (used == bytes.size()) bytes.resize(2 * bytes.size() + 65536);
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes,
                      const std::stop_token& stop) {
  std::string bytes = read_all(path, max_bytes, stop);
  check(stop);
  refuse_other_compression(bytes, path.string());
  const Compression compression = compression_of_content(bytes);
  return compression == Compression::none ? bytes : decompress(bytes, compression, path.string(), max_bytes);
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
