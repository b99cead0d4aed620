// Whole files in and out: compression is transparent, and a file under its name is always complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace parsimony {

/// The bytes of a file; gzip (any number of members) and zstd are recognised by their first bytes, whatever
/// the ending, and decompressed. max_bytes bounds what is returned, 0 is no bound. Throws io, format (broken
/// or truncated compression), memory_limit, and cancelled soon after stop is triggered, also while a pipe is
/// silent.
std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes = 0,
                      const std::stop_token& stop = {});

/// A file that appears under its name only when it is complete: written to a temporary file beside it,
/// synced, renamed by commit(). Destroyed without commit() it leaves nothing, and an older file of that name
/// as it was. Names ending in .gz and .zst are compressed. What exists and is no regular file (/dev/stdout, a
/// pipe) is written in place.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view bytes);
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All of bytes through an AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace parsimony
