// A part of a text file: the lines that begin in a range of its bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace parsimony::distributed {

/// The size of a regular file in bytes. Throws io for one that cannot be read.
std::int64_t size_of_file(const std::filesystem::path& path);

/// The first bytes of a file, as many as asked for, or all that there are. Throws io.
std::string read_begin(const std::filesystem::path& path, std::int64_t bytes);

/// The lines that begin in [begin, end), whole. `body` is where the first line of all begins, at most
/// `begin`. So the slices of consecutive ranges together are all lines, each once, wherever the ranges meet.
/// Throws io.
std::string read_slice(const std::filesystem::path& path, std::int64_t body, std::int64_t begin,
                       std::int64_t end);

}  // namespace parsimony::distributed
