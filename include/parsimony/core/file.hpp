// Reads and writes whole files. Compression is transparent, and a written file is complete or absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace parsimony {

/// Returns the bytes of a file. Decompresses gzip (any number of members) and zstd, which it recognises by
/// their first bytes, not by the file name. max_bytes limits the returned bytes; 0: no limit. Throws io,
/// format (broken or truncated compression), memory_limit, and cancelled soon after stop is triggered, even
/// while a pipe sends nothing.
std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes = 0,
                      const std::stop_token& stop = {});

/// Writes a file that appears under its name only once it is complete: the bytes go to a temporary file in
/// the same folder, and commit() syncs and renames it. Without commit() the temporary file is removed and an
/// older file of that name is untouched. Names that end in .gz or .zst are compressed. An existing path that
/// is not a regular file (a pipe), and /dev/stdout, are written in place. All members throw io.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view bytes);
  /// Ends the writing, so that a reader finds all bytes, and returns the path of the temporary file; empty if
  /// the file is written in place. Only commit() may follow.
  std::filesystem::path finish();
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes all bytes through an AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace parsimony
