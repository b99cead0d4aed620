#include "parsimony/core/matrix.hpp"

#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace parsimony {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  const bool huge = bytes >= 2 * kHugePage;
  const std::size_t alignment = huge ? kHugePage : kCacheLine;
  // aligned_alloc needs a positive multiple of the alignment.
  const std::size_t whole = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
  void* pointer = whole < bytes ? nullptr : std::aligned_alloc(alignment, whole);
  if (pointer == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (huge) madvise(pointer, whole, MADV_HUGEPAGE);  // a hint: without huge pages the system uses small ones
#endif
  return pointer;
}

void release_aligned(void* pointer) noexcept {
  std::free(pointer);
}

}  // namespace parsimony
