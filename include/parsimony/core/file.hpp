// Reads and writes whole files. Compression is transparent, and a written file is complete or absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "parsimony/core/output_file.hpp"

namespace parsimony {

/// Returns the bytes of a file. Decompresses gzip (any number of members) and zstd, which it recognises by
/// their first bytes, not by the file name. max_bytes limits the returned bytes; 0: no limit. Throws io,
/// format (broken or truncated compression), memory_limit, and cancelled soon after stop is triggered, even
/// while a pipe sends nothing.
std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes = 0,
                      const std::stop_token& stop = {});

/// Writes all bytes through an AtomicFile.
void write_file(const OutputPath& path, std::string_view bytes);

}  // namespace parsimony
