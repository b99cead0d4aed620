#include "support/memory_guard.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "support/exit_code.hpp"

namespace parsimony::cli {
namespace {

// Allocations are added up per thread and counted in steps of this many bytes.
constexpr std::int64_t kStep = 1 << 16;
constexpr std::int64_t kHeader = 8;  // malloc() keeps the size of a block before it
constexpr std::int64_t kLargestThreshold = std::int64_t{32} << 20;

constinit std::atomic<std::int64_t> limit_bytes{0}, live_bytes{0};
constinit std::atomic<std::int64_t> other_bytes{0};  // in use when the limit was set, but not counted as live
constinit std::atomic<LimitSource> limit_source{LimitSource::caller};
// The first allocation that was refused, and the memory in use then; 0: none was.
constinit std::atomic<std::int64_t> refused_bytes{0}, in_use_then{0};
constinit std::array<char, 64> name_of_run{};
constinit thread_local std::int64_t uncounted = 0;

// Blocks of this size are mapped by the kernel one by one, and given back when they are freed.
std::int64_t mapped_from(std::int64_t limit) {
  return std::clamp<std::int64_t>(limit / 1024, 1 << 17, kLargestThreshold);
}

void note_refusal(std::int64_t bytes, std::int64_t in_use) noexcept {
  std::int64_t none = 0;
  if (refused_bytes.compare_exchange_strong(none, std::max<std::int64_t>(1, bytes))) in_use_then = in_use;
  errno = ENOMEM;
}

// Whether so many more bytes fit below the limit, beside `counted` of this allocation. Memory counts that was
// allocated and not touched yet, and memory that is resident although it was freed, or that C libraries have
// allocated.
bool fits(std::int64_t bytes, std::int64_t own = 0) noexcept {
  const std::int64_t limit = limit_bytes.load(std::memory_order_relaxed);
  if (limit == 0) return true;
  std::int64_t in_use = live_bytes.load(std::memory_order_relaxed) + other_bytes;
  bool held = bytes <= limit - in_use;
  if (held && (in_use + bytes > limit / 4) && bytes >= mapped_from(limit)) {
    in_use = memory_in_use();
    held = bytes <= limit - in_use;
    if (!held) {
      malloc_trim(0);
      in_use = memory_in_use();
      held = bytes <= limit - in_use;
    }
  }
  if (!held) note_refusal(bytes + own, in_use - own);
  return held;
}

// Counts bytes that were allocated, or given back. Returns whether the memory still fits.
bool count(std::int64_t bytes) noexcept {
  uncounted += bytes;
  if (uncounted > -kStep && uncounted < kStep) return true;
  live_bytes.fetch_add(uncounted, std::memory_order_relaxed);
  const bool grew = uncounted > 0;
  uncounted = 0;
  return !grew || fits(0, std::max<std::int64_t>(0, bytes));
}

std::int64_t size_of(void* pointer) noexcept {
  return static_cast<std::int64_t>(malloc_usable_size(pointer)) + kHeader;
}

template <class Allocate>
[[maybe_unused]] void* counted(std::size_t bytes, const Allocate& allocate) {
  constexpr auto kMost = static_cast<std::size_t>(PTRDIFF_MAX);
  if (bytes > kMost || (static_cast<std::int64_t>(bytes) >= kStep && !fits(static_cast<std::int64_t>(bytes))))
    throw std::bad_alloc();
  for (;;) {
    if (void* pointer = allocate()) {
      if (count(size_of(pointer))) return pointer;
      count(-size_of(pointer));
      std::free(pointer);
      throw std::bad_alloc();
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

[[maybe_unused]] void release(void* pointer) noexcept {
  if (pointer == nullptr) return;
  count(-size_of(pointer));
  std::free(pointer);
}

// A line on stderr that is put together without memory of the heap.
class Line {
 public:
  Line& operator<<(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), bytes_.size() - size_);
    std::memcpy(bytes_.data() + size_, text.data(), size);
    size_ += size;
    return *this;
  }
  Line& operator<<(std::int64_t number) noexcept {
    std::array<char, 24> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  // "20000000 (20.0 MB)"
  void add_size(std::int64_t bytes, std::string_view unit) noexcept {
    *this << bytes << unit;
    if (bytes < 100'000) return;
    const bool giga = bytes >= 1'000'000'000;
    const std::int64_t tenths = (bytes / (giga ? 10'000'000 : 10'000) + 5) / 10;
    *this << " (" << tenths / 10 << "." << tenths % 10 << (giga ? " GB)" : " MB)");
  }
  std::string_view text() const noexcept { return {bytes_.data(), size_}; }
  void write() const noexcept { static_cast<void>(::write(STDERR_FILENO, bytes_.data(), size_) < 0); }

 private:
  std::array<char, 512> bytes_;
  std::size_t size_ = 0;
};

void add_refused(Line& line) noexcept {
  line << "needs ";
  line.add_size(refused_bytes, refused_bytes == 1 ? " byte" : " bytes");
  line << " beside the ";
  line.add_size(in_use_then, "");
  line << " in use; ";
  if (limit_source == LimitSource::caller) {
    line << "--max-memory allows ";
  } else {
    line << text_of(limit_source) << " has ";
  }
  line.add_size(limit_bytes, "");
}

constinit std::terminate_handler usual_end = nullptr;

// Where an exception that no memory was left for cannot be caught, the program says so and ends.
[[noreturn]] void end_without_memory() {
  // An exception for which there was no memory leaves none to look at.
  bool short_of_memory = std::current_exception() == nullptr && errno == ENOMEM;
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    short_of_memory = true;
  } catch (...) {
  }
  if (!short_of_memory) {
    if (usual_end != nullptr) usual_end();
    std::abort();
  }
  say_out_of_memory();
  ::_exit(kFailed);
}

}  // namespace

void guard_memory(const MemoryLimit& limit, std::string_view run) {
  name_of_run[run.copy(name_of_run.data(), name_of_run.size() - 1)] = '\0';
  if (limit.bytes > 0) {
    mallopt(M_MMAP_THRESHOLD, static_cast<int>(mapped_from(limit.bytes)));
    other_bytes = std::max<std::int64_t>(0, memory_in_use() - live_bytes);
  }
  limit_source = limit.source;
  limit_bytes = limit.bytes;
}

MemoryLimit guarded_memory() noexcept {
  return {.bytes = limit_bytes, .source = limit_source};
}

std::string refused_allocation() {
  if (refused_bytes == 0) return "";
  Line line;
  add_refused(line);
  return std::string(line.text());
}

void say_out_of_memory() noexcept {
  Line line;
  if (isatty(STDERR_FILENO) != 0) line << "\r\x1b[K";  // the progress bar
  line << "parsimony: error: ";
  if (refused_bytes > 0) {
    line << name_of_run.data() << " ";
    add_refused(line);
    line << "\n";
  } else {
    line << "out of memory\n";
  }
  line.write();
}

// Before the objects of static storage are made, for which memory may lack, too.
[[gnu::constructor(101)]] static void survive_lack_of_memory() noexcept {
  usual_end = std::set_terminate(end_without_memory);
}

}  // namespace parsimony::cli

// The sanitizers have their own.
#ifndef PARSIMONY_SANITIZED

void* operator new(std::size_t bytes) {
  return parsimony::cli::counted(bytes, [bytes] { return std::malloc(bytes == 0 ? 1 : bytes); });
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = std::max(static_cast<std::size_t>(alignment), sizeof(void*));
  return parsimony::cli::counted(bytes, [bytes, step] {
    void* pointer = nullptr;
    if (const int error = posix_memalign(&pointer, step, bytes == 0 ? 1 : bytes); error != 0) errno = error;
    return pointer;
  });
}

void operator delete(void* pointer) noexcept {
  parsimony::cli::release(pointer);
}
void operator delete(void* pointer, std::size_t) noexcept {
  parsimony::cli::release(pointer);
}
void operator delete(void* pointer, std::align_val_t) noexcept {
  parsimony::cli::release(pointer);
}
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept {
  parsimony::cli::release(pointer);
}

#endif
