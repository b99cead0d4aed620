#include "distributed/slice.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/files/descriptor.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file_error.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kPiece = 1 << 16;  // bytes read at a time to find the end of a line

class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path)
      : path_(path.string()), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_.get() < 0) fail();
  }

  std::int64_t size() const {
    struct stat info = {};
    if (::fstat(file_.get(), &info) != 0) fail();
    if (!S_ISREG(info.st_mode)) {
      throw Error(ErrorCode::io,
                  fmt::format("{}: is not a regular file, and only such ones are read in slices", path_));
    }
    return info.st_size;
  }

  // Appends up to `bytes` from `at`; returns how many there were.
  std::int64_t append(std::string& out, std::int64_t at, std::int64_t bytes) const {
    const auto before = static_cast<std::int64_t>(out.size());
    out.resize(before + bytes);
    std::int64_t have = 0;
    while (have < bytes) {
      const ssize_t got = ::pread(file_.get(), out.data() + before + have, bytes - have, at + have);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail();
      if (got == 0) break;
      have += got;
    }
    out.resize(before + have);
    return have;
  }

 private:
  [[noreturn]] void fail() const {
    const int number = errno;
    throw FileError(number, fmt::format("cannot read {}: {}", path_, std::strerror(number)));
  }

  std::string path_;
  Descriptor file_;
};

}  // namespace

std::int64_t size_of_file(const std::filesystem::path& path) {
  return InputFile(path).size();
}

std::string read_begin(const std::filesystem::path& path, std::int64_t bytes) {
  std::string out;
  InputFile(path).append(out, 0, bytes);
  return out;
}

std::string read_slice(const std::filesystem::path& path, std::int64_t body, std::int64_t begin,
                       std::int64_t end) {
  std::string out;
  if (begin >= end) return out;
  const InputFile file(path);
  // The byte before tells whether a line begins with the range.
  const std::int64_t from = std::max(body, begin - 1);
  file.append(out, from, end - from);
  std::size_t first = 0;
  if (begin > body) {
    const std::size_t newline = out.find('\n');
    first = newline == out.npos ? out.size() : newline + 1;
  }
  if (first == out.size()) return {};
  while (out.back() != '\n') {
    const auto searched = out.size();
    if (file.append(out, from + static_cast<std::int64_t>(searched), kPiece) == 0) break;
    const std::size_t newline = out.find('\n', searched);
    if (newline != out.npos) out.resize(newline + 1);
  }
  out.erase(0, first);
  return out;
}

}  // namespace parsimony::distributed
