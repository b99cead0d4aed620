// Implements output_place.hpp and check_output_path() of parsimony/core/output_file.hpp.
#include "core/files/output_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/files/descriptor.hpp"
#include "core/files/pending_file.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/output_file.hpp"

namespace fs = std::filesystem;

namespace parsimony {
namespace {

constexpr int kMostLinks = 40;  // as Linux

[[noreturn]] void fail_with(int error, const fs::path& path) {
  errno = error;
  throw_io("write", path);
}

bool is_below(const fs::path& folder, const fs::path& top) {
  return std::mismatch(top.begin(), top.end(), folder.begin(), folder.end()).first == top.end();
}

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  return error ? folder : real;
}

// The descriptor of this process that the path names, open or not; −1 if it names none. Opening the path anew
// would write a redirected file from its start.
int own_descriptor(const fs::path& file, const fs::path& folder) {
  if (file == "/dev/stdout") return STDOUT_FILENO;
  const std::string name = file.filename();
  if (name.empty() || name.size() > 6 || name.find_first_not_of("0123456789") != name.npos) return -1;
  std::error_code error;
  const fs::path own = fs::canonical("/proc/self/fd", error);
  return !error && folder == own ? std::stoi(name) : -1;
}

void check_descriptor(int descriptor, const fs::path& path) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
  if (descriptor == STDOUT_FILENO) {
    throw Error(ErrorCode::io, "cannot write: the standard output is closed");
  }
  throw Error(ErrorCode::io, fmt::format("cannot write {}: it is not open for writing", path.string()));
}

// In a folder of all users such as /tmp, a link of another user may lead anywhere. Linux follows none there
// (fs.protected_symlinks), but this program reads the links itself.
void check_link(const struct stat& link, const fs::path& folder, const fs::path& path) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) throw_io("write", path);
  const bool of_all = (info.st_mode & S_ISVTX) != 0 && (info.st_mode & S_IWOTH) != 0;
  if (of_all && link.st_uid != ::geteuid() && link.st_uid != info.st_uid) fail_with(EACCES, path);
}

}  // namespace

OutputPlace output_place(const fs::path& path) {
  OutputPlace place{.asked = path, .file = path, .folder = folder_of(path)};
  if (!path.has_filename()) fail_with(path.empty() ? ENOENT : EISDIR, path);
  const auto in_kernel = [&](const char* top) { return is_below(place.folder, top); };
  for (int links = 0;; ++links) {
    place.descriptor = own_descriptor(place.file, place.folder);
    if (place.descriptor >= 0) {
      check_descriptor(place.descriptor, path);
      return place;
    }
    place.exists = ::lstat(place.file.c_str(), &place.info) == 0;
    if (!place.exists && errno != ENOENT) throw_io("write", path);
    if (!place.exists || !S_ISLNK(place.info.st_mode)) break;
    if (in_kernel("/proc")) {  // the text of such a link names no file: "pipe:[17]"
      if (::stat(place.file.c_str(), &place.info) != 0) throw_io("write", path);
      break;
    }
    if (links == kMostLinks) fail_with(ELOOP, path);
    check_link(place.info, place.folder, path);
    std::error_code error;
    const fs::path next = fs::read_symlink(place.file, error);
    if (error) fail_with(error.value(), path);
    place.file = place.folder / next;  // next alone, if it is absolute
    place.folder = folder_of(place.file);
  }
  if (place.exists && S_ISDIR(place.info.st_mode)) fail_with(EISDIR, path);
  place.in_place = place.exists && !S_ISREG(place.info.st_mode);
  const bool devices =
      in_kernel("/proc") || in_kernel("/sys") || (in_kernel("/dev") && !in_kernel("/dev/shm"));
  if (devices && !place.in_place) {
    throw Error(ErrorCode::io,
                fmt::format("cannot write {}: files below /dev, /proc and /sys are not made or "
                            "replaced; name one elsewhere",
                            path.string()));
  }
  return place;
}

void check_output_path(const fs::path& path) {
  const OutputPlace place = output_place(path);
  if (place.descriptor >= 0) return;
  // A file that is read-only would be replaced all the same, because only the rights of its folder count.
  if (place.exists && ::access(place.file.c_str(), W_OK) != 0) throw_io("write", path);
  if (place.in_place) return;
  if (::access(place.folder.c_str(), W_OK | X_OK) != 0) throw_io("write in", place.folder);
  struct stat folder {};
  if (::stat(place.folder.c_str(), &folder) != 0) throw_io("write in", place.folder);
  const uid_t user = ::geteuid();
  if (place.exists && (folder.st_mode & S_ISVTX) != 0 && user != 0 && user != place.info.st_uid &&
      user != folder.st_uid) {
    throw Error(ErrorCode::io,
                fmt::format("cannot write {}: it is another user's, and its folder lets nobody "
                            "replace the files of others",
                            path.string()));
  }
  remove_leftovers(place);
  struct statvfs space {};
  if (::statvfs(place.folder.c_str(), &space) != 0) return;
  const bool full = space.f_blocks > 0 && (user == 0 ? space.f_bfree : space.f_bavail) == 0;
  if (full || (space.f_files > 0 && space.f_favail == 0)) fail_with(ENOSPC, path);
}

}  // namespace parsimony
