#include "parsimony/core/memory.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include "parsimony/core/context.hpp"

namespace parsimony {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

// The begin of a file of /proc, read without memory of the heap.
class ProcText {
 public:
  explicit ProcText(const char* path) noexcept {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    const ssize_t count = ::read(file, bytes_.data(), bytes_.size());
    size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    ::close(file);
  }
  std::string_view text() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 4096> bytes_;
  std::size_t size_ = 0;
};

// The number at the begin of the text, after blanks, which it removes; 0 without one.
std::int64_t take_number(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{} ? value : 0;
}

std::int64_t limit_in(const fs::path& file) {
  std::ifstream in(file);
  std::int64_t value = 0;
  return in >> value && value > 0 ? value : kNone;  // not a number: max
}

// The lowest limit of the folder of a cgroup and of those above it.
std::int64_t lowest_limit(const fs::path& mount, fs::path group, const char* name) {
  std::int64_t lowest = limit_in(mount / name);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    lowest = std::min(lowest, limit_in(mount / group / name));
  }
  return lowest;
}

bool lists(const std::string& list, std::string_view word) {
  std::istringstream in(list);
  for (std::string entry; std::getline(in, entry, ',');) {
    if (entry == word) return true;
  }
  return false;
}

// The path of this process in the hierarchy with the controller of memory ("memory"), or in the one of
// version 2 (""), from lines "number:controllers:path".
fs::path group_of(std::string_view controller) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : lists(controllers, controller))
      return line.substr(second + 1);
  }
  return "/";
}

// Lines of mountinfo: number, parent, device, root, mount point, options, optional fields, -, type, source,
// options of the type.
std::int64_t cgroup_limit() {
  std::int64_t lowest = kNone;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t middle = line.find(" - ");
    if (middle == line.npos) continue;
    std::istringstream left(line.substr(0, middle)), right(line.substr(middle + 3));
    std::string skipped, root, mount, type, options;
    left >> skipped >> skipped >> skipped >> root >> mount;
    right >> type >> skipped >> options;
    const bool unified = type == "cgroup2";
    if (!unified && !(type == "cgroup" && lists(options, "memory"))) continue;
    const fs::path relative = group_of(unified ? "" : "memory").lexically_relative(root);
    const bool below = !relative.empty() && *relative.begin() != "..";
    lowest = std::min(lowest, lowest_limit(mount, below ? fs::path("/") / relative : fs::path("/"),
                                           unified ? "memory.max" : "memory.limit_in_bytes"));
  }
  return lowest;
}

struct Pages {
  std::int64_t addresses = 0, in_use = 0;  // bytes
};

Pages pages_of_process() noexcept {
  const ProcText statm("/proc/self/statm");  // pages: size, resident, shared
  std::string_view text = statm.text();
  const std::int64_t size = take_number(text), resident = take_number(text), shared = take_number(text);
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  return {.addresses = size * page, .in_use = (resident - shared) * page};
}

// A soft limit; kNone without one.
std::int64_t limit_of(int resource) noexcept {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur > rlim_t{kNone}) return kNone;
  return static_cast<std::int64_t>(limit.rlim_cur);
}

// Addresses that must be left beside the memory in use.
std::int64_t kept_addresses() {
  constexpr std::int64_t kForLibraries = std::int64_t{64} << 20, kUsualStack = std::int64_t{8} << 20;
  const std::int64_t stack = limit_of(RLIMIT_STACK);
  return kForLibraries + default_thread_count() * (stack == kNone ? kUsualStack : stack);
}

// Bytes in use at which the limit of addresses leaves what must be left.
std::int64_t address_space_limit() {
  const std::int64_t left = address_space_left();
  return left == kNone ? kNone : memory_in_use() + left - kept_addresses();
}

}  // namespace

std::string_view text_of(LimitSource source) noexcept {
  switch (source) {
    case LimitSource::caller:
      return "the limit";
    case LimitSource::cgroup:
      return "this container or cgroup";
    case LimitSource::address_space:
      return "the address space (ulimit -v)";
  }
  return "";
}

MemoryLimit system_memory_limit() {
  const std::int64_t machine = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  std::int64_t cgroup = cgroup_limit();
  // Page tables and stacks of the kernel, and pages of files that are being written.
  cgroup = cgroup >= machine ? kNone : cgroup - cgroup / 32 - (std::int64_t{2} << 20);
  const std::int64_t addresses = address_space_limit(), lower = std::min(cgroup, addresses);
  if (lower >= machine) return {};
  return {.bytes = std::max<std::int64_t>(1, lower),
          .source = cgroup <= addresses ? LimitSource::cgroup : LimitSource::address_space};
}

MemoryLimit memory_limit(std::int64_t max_memory) {
  const MemoryLimit system = system_memory_limit();
  const bool system_is_lower = system.bytes > 0 && system.bytes < max_memory;
  return max_memory == 0 || system_is_lower ? system : MemoryLimit{.bytes = max_memory};
}

std::int64_t address_space_left() noexcept {
  const std::int64_t limit = limit_of(RLIMIT_AS);
  return limit == kNone ? kNone : std::max<std::int64_t>(0, limit - pages_of_process().addresses);
}

std::int64_t memory_in_use() noexcept {
  return pages_of_process().in_use;
}

std::int64_t peak_memory() noexcept {
  const ProcText status("/proc/self/status");
  std::string_view text = status.text();
  constexpr std::string_view kName = "VmHWM:";
  const std::size_t at = text.find(kName);
  if (at == text.npos) return 0;
  text.remove_prefix(at + kName.size());
  return take_number(text) * 1024;
}

}  // namespace parsimony
