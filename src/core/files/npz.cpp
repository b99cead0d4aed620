#include "core/files/npz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/count_of.hpp"
#include "core/files/compression.hpp"

namespace parsimony {

NpzArchive::NpzArchive(std::string bytes, std::string file, std::int64_t max_bytes, std::string hint,
                       std::stop_token stop)
    : bytes_(std::move(bytes)),
      file_(std::move(file)),
      max_bytes_(max_bytes),
      hint_(std::move(hint)),
      stop_(std::move(stop)),
      members_(list_zip(bytes_, file_)) {}

void NpzArchive::fail(const std::string& message, ErrorCode code) const {
  throw Error(code, fmt::format("{}: {}", file_, message));
}

void NpzArchive::require(std::int64_t bytes) const {
  const std::int64_t expanded = expansion_limit(bytes_.size());
  if (max_bytes_ == 0 && bytes > expanded) throw_expands(file_, expanded);
  if (max_bytes_ > 0 && bytes > max_bytes_) {
    fail(fmt::format("reading it needs about {}, above the limit of {}", count_of(bytes, "byte"), max_bytes_),
         ErrorCode::memory_limit);
  }
}

NpyArray NpzArchive::array(const std::string& name) {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const ZipMember& m) { return m.name == name + ".npy"; });
  if (found == members_.end()) fail(fmt::format("no array '{}'; {}", name, hint_));
  held_ += static_cast<std::int64_t>(
      std::min<std::uint64_t>(found->size, std::numeric_limits<std::int64_t>::max() / 4));
  require(held());
  std::string& bytes = unpacked_[name];
  bytes = unpack_zip(*found, file_, 0, stop_);
  return parse_npy(bytes, fmt::format("{}: array '{}'", file_, name));
}

std::vector<std::string> NpzArchive::names() const {
  std::vector<std::string> out;
  for (const ZipMember& member : members_) {
    const std::string_view name = member.name;
    if (name.ends_with(".npy")) out.emplace_back(name.substr(0, name.size() - 4));
  }
  return out;
}

void NpzArchive::release(const std::string& name) {
  const auto found = unpacked_.find(name);
  if (found == unpacked_.end()) return;
  held_ -= static_cast<std::int64_t>(found->second.size());
  unpacked_.erase(found);
}

template <class T>
std::vector<T> NpzArchive::vector(const std::string& name) {
  const NpyArray values = array(name);
  if (values.shape.size() != 1) fail(fmt::format("array '{}' must have one dimension", name));
  held_ += static_cast<std::int64_t>(sizeof(T)) * values.size();
  require(held());
  std::vector<T> out = npy_items<T>(values);
  unpacked_.erase(name);
  return out;
}

std::vector<std::int64_t> NpzArchive::integers(const std::string& name) {
  return vector<std::int64_t>(name);
}

std::vector<double> NpzArchive::doubles(const std::string& name) {
  return vector<double>(name);
}

std::int64_t NpzArchive::integer(const std::string& name) {
  const NpyArray value = array(name);
  if (value.size() != 1)
    fail(fmt::format("array '{}' has {}; must have one", name, count_of(value.size(), "item")));
  return npy_items<std::int64_t>(value).front();
}

Matrix<float> NpzArchive::matrix(const std::string& name) {
  const NpyArray values = array(name);
  if (values.shape.size() != 2) fail(fmt::format("array '{}' must have two dimensions", name));
  held_ += 8 * values.size();  // the items and the matrix
  require(held());
  Matrix<float> out = npy_matrix<float>(values);
  unpacked_.erase(name);
  return out;
}

std::pair<std::string, std::string> npz_member(std::string_view name, std::string_view descr,
                                               std::initializer_list<std::int64_t> shape, const void* data,
                                               std::size_t size) {
  std::string bytes = npy_header(descr, {shape.begin(), shape.size()});
  bytes.append(static_cast<const char*>(data), size);
  return {std::string(name) + ".npy", std::move(bytes)};
}

void add_npz_member(ZipWriter& archive, std::string_view name, std::string_view descr,
                    std::initializer_list<std::int64_t> shape, std::string_view bytes) {
  archive.add(std::string(name) + ".npy", {npy_header(descr, {shape.begin(), shape.size()}), bytes});
}

}  // namespace parsimony
