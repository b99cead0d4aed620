// gzip and zstd streams in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace parsimony {

enum class Compression { none, gzip, zstd };

Compression compression_of_content(std::string_view bytes);            // by the first bytes of the content
Compression compression_of_ending(const std::filesystem::path& path);  // by the ending .gz or .zst

/// Throws unsupported for the first bytes of xz, bzip2 and others, with the command that decompresses them.
void refuse_other_compression(std::string_view bytes, const std::string& name);

/// The bytes to which a file of `packed` bytes may expand where the caller sets no limit: 2 GiB, or 250 times
/// its size if that is more. Files of people stay far below; a file that is made to fill the memory does not.
std::int64_t expansion_limit(std::size_t packed);

/// Throws memory_limit: the file would expand beyond expansion_limit(); names the option that lets it.
[[noreturn]] void throw_expands(const std::string& name, std::int64_t limit);

/// name is used in messages. Throws memory_limit if the output exceeds max_bytes (0: expansion_limit()),
/// format and cancelled.
std::string decompress(std::string_view bytes, Compression compression, const std::string& name,
                       std::int64_t max_bytes, const std::stop_token& stop = {});

/// Compresses pieces as they come and passes the result to a sink.
class Compressor {
 public:
  using Sink = std::function<void(std::string_view)>;
  virtual ~Compressor() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish() = 0;
};
std::unique_ptr<Compressor> make_compressor(Compression compression, Compressor::Sink sink);

}  // namespace parsimony
