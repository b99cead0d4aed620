#include "core/files/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

struct MappedRange {
  std::atomic<bool> taken{false};
  std::atomic<const char*> begin{nullptr};  // set last, cleared first
  std::atomic<std::size_t> size{0};
  std::atomic<const char*> name{nullptr};
};

// A model has some hundred shards at most. A file that finds no room is not named if it becomes shorter.
std::array<MappedRange, 1024> mapped_ranges;

std::size_t take_range(const char* begin, std::size_t size, const char* name) {
  std::size_t slot = 0;
  while (slot < mapped_ranges.size() && mapped_ranges[slot].taken.exchange(true)) ++slot;
  if (slot == mapped_ranges.size()) return slot;
  mapped_ranges[slot].size = size;
  mapped_ranges[slot].name = name;
  mapped_ranges[slot].begin = begin;
  return slot;
}

void free_range(std::size_t slot) {
  if (slot == mapped_ranges.size()) return;
  mapped_ranges[slot].begin = nullptr;
  mapped_ranges[slot].taken = false;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : name_(path.string()) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  file_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file_.get() < 0 || ::fstat(file_.get(), &opened_) != 0) throw_io("open", path);
  if (!S_ISREG(opened_.st_mode) || opened_.st_size <= 0) return;
  const auto size = static_cast<std::size_t>(opened_.st_size);
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file_.get(), 0);
  if (start == MAP_FAILED) throw_io("open", path);
  data_ = static_cast<const char*>(start);
  size_ = size;
  slot_ = take_range(data_, size_, name_.c_str());
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  free_range(slot_);
  ::munmap(const_cast<char*>(data_), size_);
}

void MappedFile::check_unchanged() const {
  if (data_ != nullptr) parsimony::check_unchanged(file_.get(), opened_, name_);
}

void check_unchanged(int file, const struct stat& before, const std::filesystem::path& path) {
  struct stat now {};
  if (::fstat(file, &now) != 0) throw_io("read", path);
  if (now.st_size < before.st_size) {
    throw Error(ErrorCode::io, fmt::format("{} became shorter while it was read", path.string()));
  }
  if (now.st_size != before.st_size || now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    throw Error(ErrorCode::io, fmt::format("{} changed while it was read", path.string()));
  }
}

const char* mapped_file_at(const void* address) noexcept {
  for (const MappedRange& range : mapped_ranges) {
    const char* const begin = range.begin;
    if (begin != nullptr && address >= begin && address < begin + range.size) return range.name;
  }
  return nullptr;
}

void forget_mapped_pages(const void* begin, std::size_t size) noexcept {
  if (size == 0 || mapped_file_at(begin) == nullptr) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Pages that other tensors share stay.
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (size < before + page) return;
  auto* whole = const_cast<std::byte*>(static_cast<const std::byte*>(begin)) + before;
  ::madvise(whole, (size - before) / page * page, MADV_DONTNEED);
}

}  // namespace parsimony
