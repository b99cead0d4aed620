// Zip archives in memory, the container of .npz: stored and deflated members, also beyond 4 GiB (zip64).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
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

/// An archive of deflated members (name, bytes). Equal input gives equal bytes.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace parsimony
