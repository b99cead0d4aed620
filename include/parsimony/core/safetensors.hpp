// Tensors by name in one file, as networks are kept in safetensors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony {

/// In the order of the format: what needs the widest alignment last.
enum class DType {
  boolean,
  float4,
  float6_e2m3,
  float6_e3m2,
  uint8,
  int8,
  float8_e5m2,
  float8_e4m3,
  float8_e8m0,
  int16,
  uint16,
  float16,
  bfloat16,
  int32,
  uint32,
  float32,
  complex64,
  float64,
  int64,
  uint64
};

int bits_of(DType dtype);

struct TensorInfo {
  std::string name;
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;  ///< empty: one value

  std::int64_t values() const;  ///< the product of the shape
  std::int64_t bytes() const;   ///< of all values
};

/// The values lie in C order, little-endian, at any address: copy what is wider than a byte.
struct TensorView : TensorInfo {
  std::span<const std::uint8_t> data;
};

using TensorMetadata = std::map<std::string, std::string, std::less<>>;

/// A file that was read whole and checked: every byte of its data belongs to exactly one tensor. Copies share
/// the bytes, and the views live as long as any of them.
class SafetensorsFile {
 public:
  /// Maps the file into memory, so that only what is used is read; a pipe, and what is compressed by gzip or
  /// zstd, is read whole. Who changes a mapped file instead of replacing it changes the tensors, and who
  /// shortens it ends this process: AtomicFile and the other writers of such files replace.
  ///
  /// Throws io, and format where the file is not what it says: the message names file and tensor. Nothing is
  /// allocated on the word of the header but the header's own content.
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// The same from memory; name is for messages.
  SafetensorsFile(std::string bytes, const std::string& name);

  const std::string& name() const;                 ///< of the file
  const std::vector<TensorView>& tensors() const;  ///< by name
  const TensorView* find(std::string_view) const;  ///< nullptr: no such tensor
  const TensorView& at(std::string_view) const;    ///< throws format
  const TensorMetadata& metadata() const;
  std::int64_t size() const;          ///< bytes of the file
  std::int64_t header_bytes() const;  ///< of these, before the data

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Through an AtomicFile, in the order of the reference implementation: widest alignment first, then by name,
/// and the data begins at a multiple of 8 bytes. "format": "pt" is added to the metadata unless it has a
/// format. Throws invalid_argument for a name that is there twice, is no UTF-8 or is __metadata__, and for
/// data of another size than the shape's.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata = {});

/// The same of tensors that are not all in memory: data(i) are the bytes of tensors[i], asked for when they
/// are to be written, and used until the next are.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorInfo> tensors,
                       const std::function<std::span<const std::uint8_t>(std::size_t)>& data,
                       const TensorMetadata& metadata = {});

/// Bytes of the file that write_safetensors would write.
std::int64_t safetensors_size(std::span<const TensorInfo> tensors, const TensorMetadata& metadata = {});

/// float32, float16 and bfloat16 have an exact float32; others throw unsupported.
bool has_float32_values(DType dtype);
std::vector<float> float32_values(const TensorView& tensor);

/// The nearest values of these dtypes, ties to even; others throw unsupported.
std::vector<std::uint8_t> tensor_bytes(std::span<const float> values, DType dtype);

/// A name in a message: in quotes, without control characters, and short.
std::string quoted_name(std::string_view name);

constexpr auto names_of(DType) {
  using enum DType;
  return enum_names<DType>({{boolean, "BOOL"},
                            {float4, "F4"},
                            {float6_e2m3, "F6_E2M3"},
                            {float6_e3m2, "F6_E3M2"},
                            {uint8, "U8"},
                            {int8, "I8"},
                            {float8_e5m2, "F8_E5M2"},
                            {float8_e4m3, "F8_E4M3"},
                            {float8_e8m0, "F8_E8M0"},
                            {int16, "I16"},
                            {uint16, "U16"},
                            {float16, "F16"},
                            {bfloat16, "BF16"},
                            {int32, "I32"},
                            {uint32, "U32"},
                            {float32, "F32"},
                            {complex64, "C64"},
                            {float64, "F64"},
                            {int64, "I64"},
                            {uint64, "U64"}});
}

}  // namespace parsimony
