// A library to preload that makes a request for memory fail: the Nth one, or all from there on.
//
//   FAULT_AT     N, counted from 1 over all threads; 0 or absent: none fails
//   FAULT_MIN    only requests of at least so many bytes count
//   FAULT_AFTER  1: all later requests fail too
//   FAULT_COUNT  file that gets the number of requests when the process ends
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
}

namespace {

long number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

// Requests before the constructor of this library are those of the loader, which ends the process by itself.
std::atomic<long> requests;
std::atomic<bool> known;
long at, least;
bool after;

__attribute__((constructor)) void begin() {
  at = number("FAULT_AT");
  least = number("FAULT_MIN");
  after = number("FAULT_AFTER") != 0;
  known = true;
}

bool fails(size_t bytes) {
  if (!known) return false;
  if (bytes < static_cast<size_t>(least)) return false;
  const long index = ++requests;
  if (at == 0 || (after ? index < at : index != at)) return false;
  errno = ENOMEM;
  return true;
}

__attribute__((destructor)) void write_count() {
  const char* name = std::getenv("FAULT_COUNT");
  if (name == nullptr) return;
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%ld\n", requests.load());
  const long file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  syscall(SYS_write, file, text, size);
  syscall(SYS_close, file);
}

}  // namespace

extern "C" {

void* malloc(size_t bytes) noexcept {
  return fails(bytes) ? nullptr : __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) noexcept {
  return fails(count * bytes) ? nullptr : __libc_calloc(count, bytes);
}

void* realloc(void* block, size_t bytes) noexcept {
  return bytes > 0 && fails(bytes) ? nullptr : __libc_realloc(block, bytes);
}

void* memalign(size_t alignment, size_t bytes) noexcept {
  return fails(bytes) ? nullptr : __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return fails(bytes) ? nullptr : __libc_memalign(alignment, bytes);
}

int posix_memalign(void** block, size_t alignment, size_t bytes) noexcept {
  if (fails(bytes)) return ENOMEM;
  *block = __libc_memalign(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
