// A library to preload that makes one system call fail: the Nth call of a kind, or from there on.
//
//   FAULT_CALL   open, read, write, fsync, rename, mmap, close or thread; nothing else is touched
//   FAULT_AT     N, counted from 1 over all threads; 0 or absent: none fails
//   FAULT_ERRNO  number of the error
//   FAULT_AFTER  1: all later calls of the kind fail too; threads: those that would make more than N at once
//   FAULT_SIGNAL number of a signal that the process gets instead of the error, before the call
//   FAULT_COUNT  file that gets the number of calls when the process ends
//
// The library counts the calls of the program and its libraries, not those that the C library makes inside
// itself. A write on stderr never fails, so that messages get out.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fault {
  const char* call = std::getenv("FAULT_CALL");
  long at = number("FAULT_AT");
  int error = static_cast<int>(number("FAULT_ERRNO"));
  bool after = number("FAULT_AFTER") != 0;
  int signal = static_cast<int>(number("FAULT_SIGNAL"));
  const char* count_file = std::getenv("FAULT_COUNT");
  std::atomic<long> count{0};
  std::atomic<long> threads{1};  // that live

  static long number(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  }
  ~Fault() {
    if (count_file == nullptr) return;
    char text[32];
    const int size = std::snprintf(text, sizeof text, "%ld\n", count.load());
    const long file = syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return;
    syscall(SYS_write, file, text, size);
    syscall(SYS_close, file);
  }
};

Fault& fault() {
  static Fault only;
  return only;
}

// Whether this call of the kind fails.
bool fails(const char* call) {
  Fault& f = fault();
  if (f.call == nullptr || std::strcmp(f.call, call) != 0) return false;
  const long index = ++f.count;
  if (f.at == 0 || (f.after ? index < f.at : index != f.at)) return false;
  if (f.signal != 0) {
    kill(getpid(), f.signal);
    return false;
  }
  errno = f.error;
  return true;
}

template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

long open_at(int folder, const char* path, int flags, mode_t mode) {
  return fails("open") ? -1 : syscall(SYS_openat, folder, path, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(AT_FDCWD, path, flags, mode));
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(AT_FDCWD, path, flags, mode));
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(folder, path, flags, mode));
}

ssize_t read(int file, void* to, size_t bytes) {
  return fails("read") ? -1 : syscall(SYS_read, file, to, bytes);
}

ssize_t pread(int file, void* to, size_t bytes, off_t at) {
  return fails("read") ? -1 : syscall(SYS_pread64, file, to, bytes, at);
}

ssize_t pread64(int file, void* to, size_t bytes, off64_t at) {
  return pread(file, to, bytes, at);
}

ssize_t write(int file, const void* from, size_t bytes) {
  if (file != STDERR_FILENO && fails("write")) return -1;
  return syscall(SYS_write, file, from, bytes);
}

ssize_t pwrite(int file, const void* from, size_t bytes, off_t at) {
  return fails("write") ? -1 : syscall(SYS_pwrite64, file, from, bytes, at);
}

ssize_t pwrite64(int file, const void* from, size_t bytes, off64_t at) {
  return pwrite(file, from, bytes, at);
}

int fsync(int file) {
  return fails("fsync") ? -1 : static_cast<int>(syscall(SYS_fsync, file));
}

int fdatasync(int file) {
  return fails("fsync") ? -1 : static_cast<int>(syscall(SYS_fdatasync, file));
}

int rename(const char* from, const char* to) noexcept {
  return fails("rename") ? -1 : static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int renameat(int folder, const char* from, int other, const char* to) noexcept {
  return fails("rename") ? -1 : static_cast<int>(syscall(SYS_renameat2, folder, from, other, to, 0));
}

int renameat2(int folder, const char* from, int other, const char* to, unsigned flags) noexcept {
  return fails("rename") ? -1 : static_cast<int>(syscall(SYS_renameat2, folder, from, other, to, flags));
}

void* mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  if (fails("mmap")) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, protection, flags, file, offset));
}

void* mmap64(void* at, size_t bytes, int protection, int flags, int file, off64_t offset) noexcept {
  return mmap(at, bytes, protection, flags, file, offset);
}

// A descriptor is gone after a close that fails, as on Linux.
int close(int file) {
  const bool failed = fails("close");
  const long result = syscall(SYS_close, file);
  if (failed) errno = fault().error;
  return failed ? -1 : static_cast<int>(result);
}

namespace {

struct Started {
  void* (*start)(void*);
  void* argument;
};

void* run_started(void* argument) {
  const Started started = *static_cast<Started*>(argument);
  delete static_cast<Started*>(argument);
  void* const result = started.start(started.argument);
  --fault().threads;
  return result;
}

// Whether this thread would be one more than N.
bool is_too_many() {
  Fault& f = fault();
  const bool counted = f.call != nullptr && std::strcmp(f.call, "thread") == 0 && f.after;
  if (++f.threads <= f.at || !counted || f.at == 0) return false;
  --f.threads;
  return true;
}

}  // namespace

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static auto* const create = original<decltype(pthread_create)>("pthread_create");
  if (is_too_many() || (!fault().after && fails("thread"))) return fault().error;
  auto* const started = new Started{start, argument};
  const int error = create(thread, attributes, run_started, started);
  if (error == 0) return 0;
  --fault().threads;
  delete started;
  return error;
}

}  // extern "C"
