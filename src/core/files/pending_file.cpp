// Implements pending_file.hpp and remove_temporary_files() of parsimony/core/output_file.hpp.
//
// The file has a name from the start, rather than none (O_TMPFILE): only a file with a name can be renamed
// over another one, so that a name is needed before the end in any case, and not all file systems can do
// without. The lock says that the writer lives; the system frees it when the writer dies, however it dies. A
// process number would not do: containers that share a folder have the same ones.
#include "core/files/pending_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/files/leftovers.hpp"
#include "parsimony/core/file_error.hpp"
#include "parsimony/core/output_file.hpp"

namespace fs = std::filesystem;

namespace parsimony {
namespace {

// Names for remove_temporary_files(): a signal handler may neither lock nor allocate. A file beyond these is
// left to the next run.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<bool> named{false};
  std::array<char, PATH_MAX> name{};
};
constexpr std::size_t kSlots = 16;
std::array<Slot, kSlots> temporary_names;

std::size_t take_slot() {
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (!temporary_names[i].taken.exchange(true)) return i;
  }
  return kSlots;
}

void name_slot(std::size_t slot, const fs::path& path) {
  if (slot == kSlots || path.native().size() >= PATH_MAX) return;
  Slot& own = temporary_names[slot];
  own.named.store(false);
  std::memcpy(own.name.data(), path.c_str(), path.native().size() + 1);
  own.named.store(true);
}

void free_slot(std::size_t slot) {
  if (slot == kSlots) return;
  temporary_names[slot].named.store(false);
  temporary_names[slot].taken.store(false);
}

// Whether the file is locked, or cannot be on its file system, and has not been removed before it was.
bool is_held(int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat info {};
  return ::fstat(file, &info) == 0 && info.st_nlink > 0;
}

}  // namespace

void remove_temporary_files() noexcept {
  for (const Slot& slot : temporary_names) {
    if (slot.named.load()) ::unlink(slot.name.data());
  }
}

PendingFile::PendingFile(OutputPlace place) : place_(std::move(place)), slot_(take_slot()) {
  constexpr int kAttempts = 100;
  remove_leftovers(place_);
  // Only its owner may read a file that replaces another one until it has the rights of that one.
  const mode_t mode = place_.exists ? 0600 : 0666;
  for (int attempt = 1; file_.get() < 0; ++attempt) {
    fs::path candidate = place_.folder / temporary_name();
    name_slot(slot_, candidate);
    file_ = Descriptor(::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (file_.get() >= 0 && is_held(file_.get())) {
      temporary_ = std::move(candidate);  // a copy may lack memory, and nobody would remove the file
    } else if (file_.get() >= 0) {        // another process takes it for a leftover, before it is locked
      ::unlink(candidate.c_str());
      file_ = Descriptor(-1);
    } else if (errno != EEXIST || attempt == kAttempts) {
      const int error = errno;
      free_slot(slot_);
      errno = error;
      throw_io("write", place_.asked);
    }
  }
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : place_(std::move(other.place_)),
      temporary_(std::exchange(other.temporary_, {})),
      slot_(std::exchange(other.slot_, kSlots)),
      file_(std::move(other.file_)),
      state_(std::exchange(other.state_, kFinal)) {}

PendingFile::~PendingFile() {
  forget();
}

void PendingFile::keep_rights() const {
  struct stat own {};
  if (::fstat(file_.get(), &own) != 0) throw_io("write", place_.asked);
  const struct stat& old = place_.info;
  mode_t mode = old.st_mode & 0777;
  if (own.st_gid != old.st_gid && ::fchown(file_.get(), -1, old.st_gid) != 0) {
    mode &= ~mode_t{070} | ((mode & 07) << 3);
  }
  // File systems without permissions refuse this. Before the owner changes: only an owner may do it.
  if ((own.st_mode & 07777) != mode && ::fchmod(file_.get(), mode) != 0 && errno != EPERM &&
      errno != EOPNOTSUPP) {
    throw_io("write", place_.asked);
  }
  if (own.st_uid != old.st_uid) (void)!::fchown(file_.get(), old.st_uid, -1);
}

void PendingFile::seal() {
  if (place_.exists) keep_rights();
  if (::fsync(file_.get()) != 0) throw_io("write", place_.asked);
}

void PendingFile::appear() {
  if (::rename(temporary_.c_str(), place_.file.c_str()) != 0) throw_io("write", place_.asked);
  state_ = kFinal;
  temporary_.clear();
}

void PendingFile::appear_for_now() {
  struct stat info {};
  const bool is_there = ::lstat(place_.file.c_str(), &info) == 0;
  const bool is_new = !is_there && errno == ENOENT;
  // Where the file system cannot exchange two files, there is no way back. A folder could be exchanged too.
  if (is_there && S_ISREG(info.st_mode) &&
      ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, place_.file.c_str(), RENAME_EXCHANGE) == 0) {
    state_ = kExchanged;  // the older file has the temporary name now
    return;
  }
  appear();
  if (is_new) state_ = kMade;
}

bool PendingFile::take_back() noexcept {
  const bool done = state_ == kMade        ? ::unlink(place_.file.c_str()) == 0
                    : state_ == kExchanged ? ::rename(temporary_.c_str(), place_.file.c_str()) == 0
                                           : false;
  if (done) temporary_.clear();
  return done;
}

void PendingFile::forget() noexcept {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
  free_slot(std::exchange(slot_, kSlots));
  file_.close();
}

void sync_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may not be read, or one on a file system without such a sync, cannot be synced.
  if (opened.get() < 0 || ::fsync(opened.get()) == 0 || errno == EINVAL || errno == EBADF ||
      errno == EOPNOTSUPP || errno == EROFS) {
    return;
  }
  const int number = errno;
  throw FileError(number, fmt::format("{}: the new file is in place, but may not survive a power cut: {}",
                                      folder.string(), std::strerror(number)));
}

}  // namespace parsimony
