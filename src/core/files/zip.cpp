#include "core/files/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

// The records and their fields are those of PKWARE's APPNOTE.TXT, section 4.3.
namespace parsimony {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr std::uint32_t kNarrow = 0xffffffff;  // a 32-bit field whose value is in the zip64 record
constexpr std::size_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kCentralSize = 46, kLocalSize = 30;
constexpr std::uint16_t kZip64Extra = 1;

class Bytes {
 public:
  Bytes(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  [[noreturn]] void fail(const char* what) const {
    throw Error(ErrorCode::format, fmt::format("{}: broken zip archive: {}", file_, what));
  }
  template <class T>
  T number(std::uint64_t at) const {
    T value = 0;
    const std::string_view bytes = piece(at, sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<T>(T{static_cast<unsigned char>(bytes[i])} << (8 * i));
    return value;
  }
  std::string_view piece(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
      fail("a record lies outside of the file; it may be truncated");
    return bytes_.substr(at, size);
  }
  std::size_t size() const { return bytes_.size(); }
  std::string_view all() const { return bytes_; }

 private:
  std::string_view bytes_;
  const std::string& file_;
};

// 64-bit values of the zip64 field of a central record, in the order of the 32-bit fields that refer to it.
void widen(const Bytes& bytes, std::uint64_t at, std::uint64_t length,
           std::initializer_list<std::uint64_t*> fields) {
  const std::uint64_t end = at + length;
  for (std::uint64_t size; at + 4 <= end; at += 4 + size) {
    size = bytes.number<std::uint16_t>(at + 2);
    if (bytes.number<std::uint16_t>(at) != kZip64Extra) continue;
    std::uint64_t value = at + 4;
    for (std::uint64_t* field : fields) {
      if (*field != kNarrow) continue;
      if (value + 8 > at + 4 + size) bytes.fail("a zip64 field is too short");
      *field = bytes.number<std::uint64_t>(value);
      value += 8;
    }
    return;
  }
}

// `value` in `size` bytes, the low one first; past the eighth they are zero.
void append(std::string& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i, value >>= 8) out += static_cast<char>(value & 0xff);
}

// Deflated bytes in parts of one size, which need no room to grow.
std::vector<std::string> deflate_raw(std::span<const std::string_view> pieces) {
  constexpr std::size_t kPart = 1 << 18;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();  // it fails for no other reason
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, deflateEnd);
  std::vector<std::string> out;
  const auto run = [&](std::string_view bytes, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    do {
      if (stream.avail_out == 0) {
        out.emplace_back(kPart, '\0');
        stream.next_out = reinterpret_cast<Bytef*>(out.back().data());
        stream.avail_out = kPart;
      }
      deflate(&stream, flush);
    } while (stream.avail_out == 0);
  };
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const std::string_view part = piece.substr(0, std::size_t{1} << 30);
      run(part, Z_NO_FLUSH);
      piece.remove_prefix(part.size());
    }
  }
  run({}, Z_FINISH);
  out.back().resize(kPart - stream.avail_out);
  return out;
}

std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<ZipMember> list_zip(std::string_view archive, const std::string& file) {
  const Bytes bytes(archive, file);
  const std::size_t end = archive.rfind(std::string_view("PK\5\6", 4));
  if (end == archive.npos || archive.size() - end < kEndSize)
    bytes.fail("the end record is missing; it may be truncated");
  std::uint64_t count = bytes.number<std::uint16_t>(end + 10);
  std::uint64_t at = bytes.number<std::uint32_t>(end + 16);
  if (end >= kLocatorSize && bytes.number<std::uint32_t>(end - kLocatorSize) == kEnd64Locator) {
    const auto end64 = bytes.number<std::uint64_t>(end - kLocatorSize + 8);
    if (bytes.number<std::uint32_t>(end64) != kEnd64) bytes.fail("the zip64 end record is missing");
    count = bytes.number<std::uint64_t>(end64 + 32);
    at = bytes.number<std::uint64_t>(end64 + 48);
  }
  if (count > archive.size() / kCentralSize) bytes.fail("more members than there is room for");

  std::vector<ZipMember> members(count);
  for (ZipMember& member : members) {
    if (bytes.number<std::uint32_t>(at) != kCentral) bytes.fail("a record of the directory is missing");
    const bool encrypted = bytes.number<std::uint16_t>(at + 8) & 1;
    member.method = bytes.number<std::uint16_t>(at + 10);
    member.crc = bytes.number<std::uint32_t>(at + 16);
    std::uint64_t packed = bytes.number<std::uint32_t>(at + 20), local = bytes.number<std::uint32_t>(at + 42);
    member.size = bytes.number<std::uint32_t>(at + 24);
    const auto name = bytes.number<std::uint16_t>(at + 28), extra = bytes.number<std::uint16_t>(at + 30),
               comment = bytes.number<std::uint16_t>(at + 32);
    member.name = bytes.piece(at + kCentralSize, name);
    widen(bytes, at + kCentralSize + name, extra, {&member.size, &packed, &local});
    at += kCentralSize + name + extra + comment;

    if (encrypted || (member.method != 0 && member.method != 8)) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format(
              "{}: member {} is encrypted or compressed by method {}; stored and deflate are supported", file,
              member.name, member.method));
    }
    if (bytes.number<std::uint32_t>(local) != kLocal) bytes.fail("a local record is missing");
    const std::uint64_t skip =
        kLocalSize + bytes.number<std::uint16_t>(local + 26) + bytes.number<std::uint16_t>(local + 28);
    member.packed = bytes.piece(local + skip, packed);
  }
  return members;
}

std::string unpack_zip(const ZipMember& member, const std::string& file, std::int64_t max_bytes,
                       const std::stop_token& stop) {
  const auto fail = [&](const char* what) {
    throw Error(ErrorCode::format, fmt::format("{}: member {}: {}", file, member.name, what));
  };
  if (max_bytes > 0 && member.size > static_cast<std::uint64_t>(max_bytes)) {
    throw Error(ErrorCode::memory_limit, fmt::format("{}: member {} needs {}, above the limit of {}", file,
                                                     member.name, count_of(member.size, "byte"), max_bytes));
  }
  // Deflate packs at most 1032 bytes into one.
  const std::uint64_t ratio = member.method == 0 ? 1 : 1040;
  if (member.size / ratio > member.packed.size()) fail("its stated size is more than its bytes can hold");
  std::string out(member.size, '\0');
  if (member.method == 0) {
    if (member.size != member.packed.size()) fail("its stated sizes differ");
    std::copy(member.packed.begin(), member.packed.end(), out.begin());
  } else {
    z_stream stream{};
    if (inflateInit2(&stream, -15) != Z_OK) throw std::bad_alloc();
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
    std::string_view in = member.packed;
    std::size_t used = 0;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      constexpr std::size_t kMost = std::size_t{4} << 20;  // bytes between two looks at the stop token
      if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
      const auto given = static_cast<uInt>(std::min(in.size(), kMost));
      const auto room = static_cast<uInt>(std::min(out.size() - used, kMost));
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
      stream.avail_in = given;
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream.avail_out = room;
      status = inflate(&stream, Z_NO_FLUSH);
      in.remove_prefix(given - stream.avail_in);
      used += room - stream.avail_out;
      const bool moved = given != stream.avail_in || room != stream.avail_out;
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status != Z_STREAM_END && (status != Z_OK || !moved)) fail("broken deflate stream");
    }
    if (used != out.size()) fail("it unpacks to less than its stated size");
  }
  if (crc_of(out) != member.crc) fail("its checksum does not match; the file is damaged");
  return out;
}

void ZipWriter::put(const std::string& bytes) {
  sink_(bytes);
  written_ += bytes.size();
}

void ZipWriter::add(std::string_view name, std::span<const std::string_view> pieces) {
  const std::vector<std::string> packed = deflate_raw(pieces);
  std::uint64_t size = 0, packed_size = 0;
  uLong crc = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;  // crc32_z() begins anew without bytes
    size += piece.size();
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
  }
  for (const std::string& part : packed) packed_size += part.size();
  // Fields common to both records: version 4.5 (zip64), flags, deflate, 1 January 1980, checksum, sizes.
  std::string shared;
  append(shared, 45, 2);
  append(shared, 0, 2);
  append(shared, 8, 2);
  append(shared, 0, 2);
  append(shared, 0x21, 2);
  append(shared, crc, 4);
  append(shared, kNarrow, 4);
  append(shared, kNarrow, 4);
  append(shared, name.size(), 2);
  std::string sizes;
  append(sizes, size, 8);
  append(sizes, packed_size, 8);

  append(directory_, kCentral, 4);
  append(directory_, 45, 2);
  directory_ += shared;
  append(directory_, 28, 2);  // the zip64 field: two sizes and the place
  append(directory_, 0, 10);  // comment, disk, attributes
  append(directory_, kNarrow, 4);
  directory_ += name;
  append(directory_, kZip64Extra, 2);
  append(directory_, 24, 2);
  directory_ += sizes;
  append(directory_, written_, 8);
  ++members_;

  std::string local;
  append(local, kLocal, 4);
  local += shared;
  append(local, 20, 2);
  local += name;
  append(local, kZip64Extra, 2);
  append(local, 16, 2);
  local += sizes;
  put(local);
  for (const std::string& part : packed) put(part);
}

void ZipWriter::finish() {
  const std::uint64_t start = written_, end64 = start + directory_.size();
  std::string out = std::move(directory_);
  append(out, kEnd64, 4);
  append(out, kEnd64Size - 12, 8);
  append(out, 45, 2);
  append(out, 45, 2);
  append(out, 0, 8);
  append(out, members_, 8);
  append(out, members_, 8);
  append(out, end64 - start, 8);
  append(out, start, 8);
  append(out, kEnd64Locator, 4);
  append(out, 0, 4);
  append(out, end64, 8);
  append(out, 1, 4);
  append(out, kEnd, 4);
  append(out, 0, 4);
  append(out, 0xffff, 2);
  append(out, 0xffff, 2);
  append(out, kNarrow, 4);
  append(out, kNarrow, 4);
  append(out, 0, 2);
  put(out);
}

std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out;
  ZipWriter writer([&](std::string_view bytes) { out += bytes; });
  for (const auto& [name, bytes] : members) writer.add(name, {bytes});
  writer.finish();
  return out;
}

}  // namespace parsimony
