// Implements leftovers.hpp, and remove_leftovers() of pending_file.hpp.
#include "core/files/leftovers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "core/files/descriptor.hpp"
#include "core/files/pending_file.hpp"

namespace fs = std::filesystem;

namespace parsimony {
namespace {

constexpr std::string_view kNameBegin = ".parsimony-", kNameEnd = ".partial", kHexDigits = "0123456789abcdef";
constexpr std::size_t kHostDigits = 8, kRandomDigits = 16;
constexpr int kMostEntries = 1 << 16;  // some hundredths of a second

// The same in all containers of a host.
std::uint32_t host_since_start() {
  std::array<char, 64> id{};
  const Descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  const ssize_t size = file.get() < 0 ? 0 : ::read(file.get(), id.data(), id.size());
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(id.data()), static_cast<uInt>(std::max<ssize_t>(size, 0))));
}

std::string host_part() {
  return fmt::format("{:08x}", host_since_start());
}

// Whether two hosts cannot have it mounted at once, so that each lock is known here. Other file systems may
// keep locks to the host that took them.
bool is_local(const fs::path& folder) {
  constexpr long kXfs = 0x58465342, kZfs = 0x2fc12fc1;
  constexpr std::array kLocalSystems{long{EXT4_SUPER_MAGIC},
                                     long{TMPFS_MAGIC},
                                     long{OVERLAYFS_SUPER_MAGIC},
                                     long{F2FS_SUPER_MAGIC},
                                     kXfs,
                                     kZfs};
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return false;
  return info.f_type == static_cast<long>(BTRFS_SUPER_MAGIC) ||
         std::find(kLocalSystems.begin(), kLocalSystems.end(), info.f_type) != kLocalSystems.end();
}

bool is_temporary(std::string_view name) {
  if (name.size() != kNameBegin.size() + kHostDigits + kRandomDigits + kNameEnd.size()) return false;
  return name.substr(0, kNameBegin.size()) == kNameBegin &&
         name.substr(name.size() - kNameEnd.size()) == kNameEnd &&
         name.substr(kNameBegin.size(), kHostDigits + kRandomDigits).find_first_not_of(kHexDigits) ==
             name.npos;
}

// FILE.PROCESS-NUMBER.partial, as earlier versions called them.
bool is_earlier(std::string_view name, std::string_view file) {
  if (name.size() < file.size() + kNameEnd.size() + 4 || name.substr(0, file.size()) != file ||
      name[file.size()] != '.' || name.substr(name.size() - kNameEnd.size()) != kNameEnd) {
    return false;
  }
  name = name.substr(file.size() + 1, name.size() - file.size() - 1 - kNameEnd.size());
  const std::size_t dash = name.find('-');
  return dash != name.npos && dash > 0 && dash + 1 < name.size() &&
         name.find_first_not_of("0123456789-") == name.npos && name.rfind('-') == dash;
}

// Removes the file if nobody holds it, and if it is of this user and at least that old. A writer locks its
// file at once, and takes another name if the file is gone by then.
void remove_if_left(const fs::path& path, std::time_t least_seconds) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat opened {
  }, named{};
  if (file.get() < 0 || ::fstat(file.get(), &opened) != 0) return;
  if (!S_ISREG(opened.st_mode) || opened.st_uid != ::geteuid() || opened.st_nlink != 1) return;
  if (least_seconds > 0 && std::time(nullptr) - opened.st_mtime < least_seconds) return;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  // The file may have got its final name meanwhile, and its lock may have ended with that.
  if (::lstat(path.c_str(), &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev) {
    return;
  }
  ::unlink(path.c_str());
}

}  // namespace

std::string temporary_name() {
  std::uint64_t random = 0;
  if (::getentropy(&random, sizeof random) != 0) {
    random = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) *
                 0x9e3779b97f4a7c15u +
             static_cast<std::uint64_t>(::getpid());
  }
  return fmt::format("{}{}{:016x}{}", kNameBegin, host_part(), random, kNameEnd);
}

void remove_leftovers(const OutputPlace& place) noexcept {
  // Earlier versions held no lock: a day after the last write, no writer is at work.
  constexpr std::time_t kDay = 86400;
  try {
    std::error_code error;
    const std::string own = std::string(kNameBegin) + host_part();
    const std::string file = place.file.filename();
    const bool local = is_local(place.folder);
    int seen = 0;
    for (fs::directory_iterator entry(place.folder, error), end;
         !error && entry != end && seen < kMostEntries; entry.increment(error), ++seen) {
      const std::string name = entry->path().filename();
      if (is_temporary(name) && (local || name.compare(0, own.size(), own) == 0)) {
        remove_if_left(entry->path(), 0);
      } else if (is_earlier(name, file)) {
        remove_if_left(entry->path(), kDay);
      }
    }
  } catch (const std::exception&) {  // memory is short: they stay until the next run
  }
}

}  // namespace parsimony
