// The safetensors format: named tensors in one file, the usual format for weights of networks.
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

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"

namespace parsimony {

/// Types of values, in the order of the format: from the narrowest alignment to the widest.
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

/// Bits of one value.
int bits_of(DType dtype);

struct TensorInfo {
  std::string name;
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;  ///< empty for a single value

  std::int64_t values() const;  ///< the product of the shape
  std::int64_t bytes() const;   ///< bytes of all values
};

/// Values in C order, little-endian. data may lie at any address: copy values wider than one byte before use.
struct TensorView : TensorInfo {
  std::span<const std::uint8_t> data;
};

using TensorMetadata = std::map<std::string, std::string, std::less<>>;

/// A checked file: every byte of its data belongs to exactly one tensor. Copies share the bytes, and views
/// are valid while any copy lives. The shards of a model in several files are read as one file.
class SafetensorsFile {
 public:
  /// Maps a regular file into memory, so that only the used parts are read; reads pipes and files compressed
  /// with gzip or zstd whole. Do not change the file in place while it is mapped: the tensors would change,
  /// as check_unchanged() finds, and reading what a shorter file has lost raises SIGBUS. AtomicFile replaces
  /// files and is safe.
  ///
  /// The path may be that of the index of a sharded model, model.safetensors.index.json. Its shards, which
  /// must lie beside it, are opened together: tensors() has the tensors of all, size() and header_bytes() are
  /// sums, and metadata() has the keys of all shards, each with the value of the first shard that has it.
  ///
  /// Throws io, cancelled soon after the context is stopped, and format for a file that breaks the format;
  /// the message names file and tensor, and for other formats (a Git LFS pointer, a PyTorch file, GGUF, a web
  /// page) says which it is and how to get safetensors. Throws format for an index whose shards are missing
  /// or hold other tensors than it says. Takes memory for the names and shapes of the tensors, in proportion
  /// to the headers, and for a file that is not mapped; throws memory_limit, before it is taken, where the
  /// context has less.
  explicit SafetensorsFile(const std::filesystem::path& path, const Context& context = Context{1});
  /// Reads a file from memory; name is used in messages.
  SafetensorsFile(std::string bytes, const std::string& name, const Context& context = Context{1});

  /// Throws io if a mapped file has become shorter or was written to since it was opened. Call it once the
  /// tensors have been used, before a result is published.
  void check_unchanged() const;

  const std::string& name() const;                 ///< name of the file
  const std::vector<TensorView>& tensors() const;  ///< sorted by name
  const TensorView* find(std::string_view) const;  ///< nullptr if there is no such tensor
  const TensorView& at(std::string_view) const;    ///< throws format if there is no such tensor
  const TensorMetadata& metadata() const;
  std::int64_t size() const;          ///< bytes of the whole file
  std::int64_t header_bytes() const;  ///< bytes before the data
  /// The files that were read: one, or an index and its shards; none for a file from memory.
  const std::vector<std::filesystem::path>& paths() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Writes tensors through an AtomicFile in the order of the reference implementation: widest alignment first,
/// then by name. The data starts at a multiple of 8 bytes. Adds "format": "pt" to metadata without a format.
/// Throws io, and invalid_argument for a repeated name, a name that is not UTF-8 or is __metadata__, and data
/// whose size does not match the shape.
///
/// verify, when given, gets the path of the whole file before it is renamed to its name. It may read the
/// file, and if it throws, an older file of that name stays as it was. It is not called where the file is
/// written in place (see AtomicFile).
void write_safetensors(const OutputPath& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata = {},
                       const std::function<void(const std::filesystem::path&)>& verify = {});

/// Writes tensors that are not all in memory: data(i) returns the bytes of tensors[i]. It is called when they
/// are due, and the bytes must stay valid until the next call.
void write_safetensors(const OutputPath& path, std::span<const TensorInfo> tensors,
                       const std::function<std::span<const std::uint8_t>(std::size_t)>& data,
                       const TensorMetadata& metadata = {},
                       const std::function<void(const std::filesystem::path&)>& verify = {});

/// Size in bytes of the file that write_safetensors would write.
std::int64_t safetensors_size(std::span<const TensorInfo> tensors, const TensorMetadata& metadata = {});

/// True for float32, float16 and bfloat16, whose values are exact in float32. float32_values throws
/// unsupported for other types.
bool has_float32_values(DType dtype);
std::vector<float> float32_values(const TensorView& tensor);

/// Rounds values to one of these types, ties to even. Throws unsupported for other types.
std::vector<std::uint8_t> tensor_bytes(std::span<const float> values, DType dtype);

/// A name for a message: quoted, shortened, and without control characters.
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
