// A file that is mapped into memory: its pages are read when they are touched.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/files/descriptor.hpp"

namespace parsimony {

class MappedFile {
 public:
  /// bytes() is empty for an empty file and for one that is not regular; read such a file instead. Throws io.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_}; }
  /// Throws io if the file was changed in place since it was opened. One that was replaced stays as it was.
  void check_unchanged() const;

 private:
  std::string name_;
  Descriptor file_{-1};
  struct stat opened_ {};
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t slot_ = 0;  // in the list of mapped_file_at()
};

/// Throws io if an open file is no longer what fstat() said of it before: shorter, or written to.
void check_unchanged(int file, const struct stat& before, const std::filesystem::path& path);

/// The name of the mapped file that the address belongs to, or nullptr. Reading a page that a shortened file
/// has lost raises SIGBUS; a handler of that signal may call this function.
const char* mapped_file_at(const void* address) noexcept;

/// Tells the system that these bytes will hardly be read again, so that the memory of their pages is not
/// counted as that of the process. They can still be read. Does nothing outside mapped files.
void forget_mapped_pages(const void* begin, std::size_t size) noexcept;

}  // namespace parsimony
