// Zip archives in memory, the container of .npz: stored and deflated members, also beyond 4 GiB (zip64).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parsimony {

struct ZipMember {
  std::string name;
  int method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  std::string_view packed;  // its bytes as they lie in the archive
};

/// The members of an archive, which must outlive them. file is used in messages. Throws Error(format).
std::vector<ZipMember> list_zip(std::string_view archive, const std::string& file);

/// The bytes of a member, checked against its CRC. Throws format, memory_limit above max_bytes (0: no limit),
/// and cancelled.
std::string unpack_zip(const ZipMember& member, const std::string& file, std::int64_t max_bytes,
                       const std::stop_token& stop = {});

/// Passes an archive of deflated members to a sink, and holds no more than one deflated member. Equal input
/// gives equal bytes.
class ZipWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit ZipWriter(Sink sink) : sink_(std::move(sink)) {}

  /// The bytes of the member are those of the pieces, one after the other.
  void add(std::string_view name, std::span<const std::string_view> pieces);
  void add(std::string_view name, std::initializer_list<std::string_view> pieces) {
    add(name, std::span(pieces.begin(), pieces.size()));
  }
  /// Writes the directory of the archive. Nothing may follow.
  void finish();

 private:
  void put(const std::string& bytes);

  Sink sink_;
  std::string directory_;
  std::uint64_t written_ = 0, members_ = 0;
};

/// The same of members (name, bytes) in memory.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace parsimony
