#include "parsimony/core/matrix.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace parsimony {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t alignment_of(std::size_t bytes) {
  return bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  const std::size_t alignment = alignment_of(bytes);
  const std::size_t whole = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
  if (whole < bytes) throw std::bad_alloc();
  // Through operator new, so that a program that counts its memory counts this too.
  void* pointer = ::operator new (whole, std::align_val_t{alignment});
#ifdef MADV_HUGEPAGE
  if (alignment == kHugePage)
    madvise(pointer, whole, MADV_HUGEPAGE);  // a hint: without huge pages the system uses small ones
#endif
  return pointer;
}

void release_aligned(void* pointer, std::size_t bytes) noexcept {
  ::operator delete (pointer, std::align_val_t{alignment_of(bytes)});
}

}  // namespace parsimony
