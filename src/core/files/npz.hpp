// Reads and writes archives of named arrays in the format of NumPy's savez.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files/npy_format.hpp"
#include "core/files/zip.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// The max_bytes of an archive of these bytes, so that its arrays fit into the memory that is left.
inline std::int64_t archive_limit(std::string_view bytes, const Context& context) {
  const std::int64_t left = context.memory_left();
  return left == 0 ? 0 : left + static_cast<std::int64_t>(bytes.size());
}

class NpzArchive {
 public:
  /// bytes: the content of the file, whose name is used in messages. max_bytes limits the archive and its
  /// unpacked arrays together; 0: no limit. hint ends the message about a missing array. Throws
  /// Error(format). Unpacking throws cancelled soon after stop is triggered.
  NpzArchive(std::string bytes, std::string file, std::int64_t max_bytes, std::string hint,
             std::stop_token stop = {});

  [[noreturn]] void fail(const std::string& message, ErrorCode code = ErrorCode::format) const;
  /// Throws memory_limit if `bytes` exceeds the limit.
  void require(std::int64_t bytes) const;

  /// The array of this name, whose bytes live as long as the archive. Throws format if it is missing.
  NpyArray array(const std::string& name);
  std::vector<std::string> names() const;                       ///< without .npy
  void release(const std::string& name);                        ///< frees the bytes of array(name)
  std::vector<std::int64_t> integers(const std::string& name);  ///< a 1-D array
  std::int64_t integer(const std::string& name);                ///< an array of one value
  std::vector<double> doubles(const std::string& name);         ///< a 1-D array
  Matrix<float> matrix(const std::string& name);                ///< a 2-D array
  std::int64_t held() const { return held_ + static_cast<std::int64_t>(bytes_.size()); }

 private:
  template <class T>
  std::vector<T> vector(const std::string& name);

  std::string bytes_;
  std::string file_;
  std::int64_t max_bytes_;
  std::string hint_;
  std::stop_token stop_;
  std::vector<ZipMember> members_;
  std::map<std::string, std::string> unpacked_;
  std::int64_t held_ = 0;
};

/// A member of an archive to write (make_zip): name.npy with the header and the bytes of an array.
std::pair<std::string, std::string> npz_member(std::string_view name, std::string_view descr,
                                               std::initializer_list<std::int64_t> shape, const void* data,
                                               std::size_t size);

/// The same, added to an archive without a copy of the bytes.
void add_npz_member(ZipWriter& archive, std::string_view name, std::string_view descr,
                    std::initializer_list<std::int64_t> shape, std::string_view bytes);

}  // namespace parsimony
