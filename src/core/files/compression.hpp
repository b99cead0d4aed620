// gzip and zstd streams in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace parsimony {

enum class Compression { none, gzip, zstd };

Compression compression_of_content(std::string_view bytes);            // by the first bytes
Compression compression_of_ending(const std::filesystem::path& path);  // .gz, .zst

/// name is for messages; more than max_bytes of output (0: no bound) throws memory_limit.
std::string decompress(std::string_view bytes, Compression compression, const std::string& name,
                       std::int64_t max_bytes);

/// Compresses what it is given piece by piece and hands the result on.
class Compressor {
 public:
  using Sink = std::function<void(std::string_view)>;
  virtual ~Compressor() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void finish() = 0;
};
std::unique_ptr<Compressor> make_compressor(Compression compression, Compressor::Sink sink);

}  // namespace parsimony
