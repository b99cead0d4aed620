// Implements read_file() of parsimony/core/file.hpp.
#include "parsimony/core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/count_of.hpp"
#include "core/files/compression.hpp"
#include "core/files/descriptor.hpp"
#include "core/files/mapped_file.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

[[noreturn]] void throw_too_large(const std::filesystem::path& path, std::int64_t max_bytes) {
  throw Error(ErrorCode::memory_limit,
              fmt::format("{}: larger than the limit, which leaves {} for it", path.string(),
                          max_bytes > 1 ? count_of(max_bytes, "byte") : "nothing"));
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
  if (S_ISREG(info.st_mode) && info.st_size > 0)
    check_unchanged(file.get(), info, path);  // files of /proc have no size
  return bytes;
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes,
                      const std::stop_token& stop) {
  std::string bytes = read_all(path, max_bytes, stop);
  check(stop);
  refuse_other_compression(bytes, path.string());
  const Compression compression = compression_of_content(bytes);
  return compression == Compression::none ? bytes
                                          : decompress(bytes, compression, path.string(), max_bytes, stop);
}

}  // namespace parsimony
