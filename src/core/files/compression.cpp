#include "core/files/compression.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

constexpr std::size_t kPiece = 1 << 18;
constexpr std::size_t kBytesPerLook = std::size_t{4} << 20;  // bytes between two looks at the stop token
constexpr int kGzip = 15 + 16;  // zlib's window bits for the largest window in a gzip wrapper
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

constexpr std::string_view kZstdSkippable = "\x2a\x4d\x18";  // after a byte from 0x50 to 0x5f

struct OtherCompression {
  std::string_view magic;
  const char* name;
  const char* command;
};
constexpr std::array kOtherCompressions{
    OtherCompression{{"\xfd\x37zXZ\0", 6}, "xz", "xz -d"},
    OtherCompression{"LZIP\x01", "lzip", "lzip -d"},
    OtherCompression{"\x04\x22\x4d\x18", "lz4", "lz4 -d"},
    OtherCompression{"\x1f\x9d", "compress", "gunzip"},
    OtherCompression{"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x"},
    OtherCompression{"Rar!\x1a\x07", "RAR", "unrar x"},
};

bool starts_with(std::string_view bytes, std::string_view magic) {
  return bytes.substr(0, magic.size()) == magic;
}

void check_not_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
}

[[noreturn]] void throw_truncated(const std::string& name, const char* kind) {
  throw Error(ErrorCode::format,
              fmt::format("{}: the {} stream ends too early; the file is truncated", name, kind));
}

// The output so far: a string that grows by half and stays within the limit.
class Output {
 public:
  Output(const std::string& name, std::int64_t max_bytes, std::size_t packed)
      : name_(name),
        by_default_(max_bytes <= 0),
        limit_(static_cast<std::size_t>(by_default_ ? expansion_limit(packed) : max_bytes)) {
    bytes_.resize(std::min(limit_ + 1, 4 * packed));  // one more than allowed shows that there is more
  }
  char* at() { return bytes_.data() + used_; }
  std::size_t room() const { return bytes_.size() - used_; }
  void advance(std::size_t count) {
    used_ += count;
    if (used_ > limit_ && by_default_) throw_expands(name_, static_cast<std::int64_t>(limit_));
    if (used_ > limit_) {
      throw Error(ErrorCode::memory_limit, fmt::format("{}: decompresses to more than the limit of {}", name_,
                                                       count_of(limit_, "byte")));
    }
    if (room() == 0) bytes_.resize(std::min(limit_ + 1, bytes_.size() + bytes_.size() / 2 + kPiece));
  }
  std::string take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  const std::string& name_;
  std::string bytes_;
  bool by_default_;
  std::size_t limit_;
  std::size_t used_ = 0;
};

std::string gunzip(std::string_view bytes, const std::string& name, std::int64_t max_bytes,
                   const std::stop_token& stop) {
  Output out(name, max_bytes, bytes.size());
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();  // it fails for no other reason
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  const std::size_t total = bytes.size();
  while (!bytes.empty()) {
    check_not_stopped(stop);
    const std::size_t given = std::min(bytes.size(), kBytesPerLook),
                      room = std::min(out.room(), kBytesPerLook);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(out.at());
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      throw Error(ErrorCode::format, fmt::format("{}: broken gzip stream near byte {}: {}", name,
                                                 total - bytes.size() + given - stream.avail_in,
                                                 stream.msg ? stream.msg : zError(status)));
    }
    bytes.remove_prefix(given - stream.avail_in);
    const bool stuck = stream.avail_in == given && stream.avail_out == room;
    out.advance(room - stream.avail_out);
    if (status == Z_STREAM_END) {
      if (bytes.find_first_not_of('\0') == bytes.npos) return out.take();  // tape padding is allowed
      if (!starts_with(bytes, kGzipMagic)) {
        throw Error(ErrorCode::format,
                    fmt::format("{}: byte {}: the bytes after the gzip stream are not another gzip stream",
                                name, total - bytes.size()));
      }
      inflateReset2(&stream, kGzip);
    } else if (stuck) {
      break;
    }
  }
  throw_truncated(name, "gzip");
}

std::string unzstd(std::string_view bytes, const std::string& name, std::int64_t max_bytes,
                   const std::stop_token& stop) {
  Output out(name, max_bytes, bytes.size());
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  if (!stream) throw std::bad_alloc();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t status = 1;  // 0: a frame is complete
  for (bool produced = true; in.pos < in.size || (status != 0 && produced);) {
    check_not_stopped(stop);
    ZSTD_outBuffer piece{out.at(), std::min(out.room(), kBytesPerLook), 0};
    const std::size_t before = in.pos;
    status = ZSTD_decompressStream(stream.get(), &piece, &in);
    if (ZSTD_isError(status)) {
      if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation) throw std::bad_alloc();
      throw Error(ErrorCode::format, fmt::format("{}: broken zstd stream near byte {}: {}", name, in.pos,
                                                 ZSTD_getErrorName(status)));
    }
    produced = piece.pos > 0 || in.pos > before;
    out.advance(piece.pos);
  }
  if (status != 0) throw_truncated(name, "zstd");
  return out.take();
}

class Plain final : public Compressor {
 public:
  explicit Plain(Sink sink) : sink_(std::move(sink)) {}
  void write(std::string_view bytes) override { sink_(bytes); }
  void finish() override {}

 private:
  Sink sink_;
};

class Gzip final : public Compressor {
 public:
  explicit Gzip(Sink sink) : sink_(std::move(sink)) {
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Gzip() override { deflateEnd(&stream_); }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kPiece);
      run(piece, Z_NO_FLUSH);
      bytes.remove_prefix(piece.size());
    }
  }
  void finish() override { run({}, Z_FINISH); }

 private:
  void run(std::string_view bytes, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, flush);
      sink_({buffer_.data(), buffer_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
  }

  Sink sink_;
  z_stream stream_{};
  std::string buffer_ = std::string(kPiece, '\0');
};

class Zstd final : public Compressor {
 public:
  explicit Zstd(Sink sink) : sink_(std::move(sink)), stream_(ZSTD_createCStream(), ZSTD_freeCStream) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }
  void write(std::string_view bytes) override { run(bytes, ZSTD_e_continue); }
  void finish() override { run({}, ZSTD_e_end); }

 private:
  void run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(stream_.get(), &out, &in, directive);
      if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) throw std::bad_alloc();
      if (ZSTD_isError(left)) throw Error(ErrorCode::internal, ZSTD_getErrorName(left));
      sink_({buffer_.data(), out.pos});
      done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
  }

  Sink sink_;
  std::unique_ptr<ZSTD_CStream, std::size_t (*)(ZSTD_CStream*)> stream_;
  std::string buffer_ = std::string(kPiece, '\0');
};

}  // namespace

Compression compression_of_content(std::string_view bytes) {
  if (starts_with(bytes, kGzipMagic)) return Compression::gzip;
  if (starts_with(bytes, kZstdMagic)) return Compression::zstd;
  // A frame to skip, as before seekable frames.
  if (!bytes.empty() && (bytes[0] & 0xf0) == 0x50 && starts_with(bytes.substr(1), kZstdSkippable)) {
    return Compression::zstd;
  }
  return Compression::none;
}

Compression compression_of_ending(const std::filesystem::path& path) {
  if (path.extension() == ".gz") return Compression::gzip;
  if (path.extension() == ".zst") return Compression::zstd;
  return Compression::none;
}

void refuse_other_compression(std::string_view bytes, const std::string& name) {
  const auto refuse_as = [&](const char* kind, const char* command) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: is compressed by {}, which is not read; decompress it first: {} {}", name,
                            kind, command, name));
  };
  for (const OtherCompression& other : kOtherCompressions) {
    if (starts_with(bytes, other.magic)) refuse_as(other.name, other.command);
  }
  // The digit after BZh is the size of the blocks; the block begins with the digits of pi.
  constexpr std::size_t kPi = 4;
  if (starts_with(bytes, "BZh") && bytes.size() > kPi && starts_with(bytes.substr(kPi), "1AY&SY")) {
    refuse_as("bzip2", "bzip2 -d");
  }
}

std::int64_t expansion_limit(std::size_t packed) {
  constexpr std::int64_t kFree = std::int64_t{2} << 30, kRatio = 250;
  return std::max(kFree, kRatio * static_cast<std::int64_t>(packed));
}

void throw_expands(const std::string& name, std::int64_t limit) {
  throw Error(ErrorCode::memory_limit,
              fmt::format("{}: would expand to more than {}, as files do that are made to fill the memory; "
                          "option max_memory, set to the bytes that it may take, reads it",
                          name, count_of(limit, "byte")));
}

std::string decompress(std::string_view bytes, Compression compression, const std::string& name,
                       std::int64_t max_bytes, const std::stop_token& stop) {
  switch (compression) {
    case Compression::gzip:
      return gunzip(bytes, name, max_bytes, stop);
    case Compression::zstd:
      return unzstd(bytes, name, max_bytes, stop);
    case Compression::none:
      break;
  }
  return std::string(bytes);
}

std::unique_ptr<Compressor> make_compressor(Compression compression, Compressor::Sink sink) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<Gzip>(std::move(sink));
    case Compression::zstd:
      return std::make_unique<Zstd>(std::move(sink));
    case Compression::none:
      break;
  }
  return std::make_unique<Plain>(std::move(sink));
}

}  // namespace parsimony
