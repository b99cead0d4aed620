// A compressed network in one file: a safetensors file with codes, codebooks and every other tensor.
// docs/formats/compact.md specifies it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// Metadata of a model that runs by itself: the part of its config.json that describes the network. See
/// docs/formats/compact.md.
inline constexpr std::string_view kNetworkKey = "parsimony.network";

/// How the file stores a weight. All of it is known before the codes are made.
struct WeightRecipe {
  std::string name;                 ///< name of the weight in the model
  std::vector<std::int64_t> shape;  ///< 2-D to 5-D
  DType dtype = DType::float32;     ///< dtype of the weight in the model: float32, float16 or bfloat16
  std::string kind;  ///< kind of its layer in the words of the writer, such as "linear"; may be empty
  Scheme scheme = Scheme::integer;
  int bits = 8;
  WeightAxes axes = {};  ///< which dimensions are the outputs
  /// Number of scales: 1, or one per output or group of it; 0 for a product without factors.
  std::int64_t scales = 1;
  DType scale_dtype = DType::float32;  ///< float32, float16, or for integers uint8: see scale_values
  std::int64_t scale_values = 0;  ///< for uint8: different scales, 1 to 256, which the file holds as float32
  DType zero_point_dtype = DType::uint8;  ///< for integers: uint8, or int32 if a zero point is not a code
  bool packed_zeros = false;  ///< for integers: zero points take `bits` bits each; they must be codes
  std::int64_t group = 0;     ///< for integers: see QuantizedTensor
  /// For integers: unless uniform, 2^bits levels instead of zero points. A file does not tell how they were
  /// found: read, they are `learned`.
  LevelKind levels = LevelKind::uniform;

  BlockLayout layout = BlockLayout::row;  ///< this and the following fields are for products
  std::int64_t block_size = 0;            ///< d, 1 to 4096, and at most run_length of BlockGrid
  std::int64_t centroids = 0;             ///< K, 1 to 2^bits
  CodebookType codebook_type = CodebookType::float16;
  std::int64_t codebook_scales = 1;  ///< for int8: 1, or one per centroid
  std::string codebook;   ///< name of the codebook's tensor, which weights may share; empty: <name>_codebook
  bool permuted = false;  ///< whether the weight has a channel permutation
};

/// A tensor that is not in codes, with its dtype in the model.
struct OtherRecipe : TensorInfo {
  DType stored_dtype = DType::float32;  ///< dtype in the file: the same, or float16 for float32
  /// Running means of 0 or variances of 1 of a folded batch norm m, which the file does not hold: float32, of
  /// the shape of m.weight, which must be among the others, and both of them together.
  bool implied = false;
};

/// The compact file layout of a model.
struct CompactRecipe {
  std::vector<WeightRecipe> weights;
  std::vector<OtherRecipe> others;
  std::map<std::string, std::string, std::less<>>
      aliases;              ///< name of a tied tensor → tensor with its values
  TensorMetadata metadata;  ///< metadata of the model
  /// Deflates the header, which is a large part of the file of a small model. Other programs then see two
  /// tensors of bytes, and a reader copies the file instead of mapping it.
  bool deflated = false;
};

/// The tensors that write_compact_file writes.
std::vector<TensorInfo> stored_tensors(const CompactRecipe& recipe);
/// Size of the file that write_compact_file writes, to the byte.
std::int64_t planned_size(const CompactRecipe& recipe);
/// Bytes that the tensors of each weight take in the file. A shared codebook counts for its first weight.
std::vector<std::int64_t> stored_bytes(const CompactRecipe& recipe);

/// A tensor of the model that a compact file stands for.
struct ModelTensor : TensorInfo {
  std::size_t source =
      0;  ///< index of its values: weights first, then others; a tied tensor has its target's
};
/// All tensors of the model: weights, others, tied tensors. Throws invalid_argument for an alias of a tensor
/// that is not there.
std::vector<ModelTensor> model_tensors(const CompactRecipe& recipe);
/// Size of the safetensors file of the model, not in codes.
std::int64_t model_size(const CompactRecipe& recipe);

/// The recipe that stores a weight in codes exactly. half_scales: float16 scales, if all scales are float16
/// values.
WeightRecipe recipe_of(std::string name, const QuantizedTensor& tensor, bool half_scales = false);

/// The recipe that stores it exactly in the fewest bytes: float16 scales or, of groups and levels, indices of
/// a byte each and zero points of the width of a code, where these hold all values.
WeightRecipe smallest_recipe_of(std::string name, const QuantizedTensor& tensor);

struct CompactModel {
  CompactRecipe recipe;
  std::vector<QuantizedTensor> weights;  ///< in the order of recipe.weights
  std::vector<TensorView> others;  ///< in the order of recipe.others, in the dtype of the model or the file
  std::vector<SafetensorsFile> storage;  ///< files that hold the bytes of others and must live as long

  /// The weight of this name or of the tensor that the name is tied to; nullptr if there is none.
  const QuantizedTensor* find_weight(std::string_view name) const;
  /// SafetensorsFile::check_unchanged() of the storage.
  void check_unchanged() const;
};

/// Writes the file under a temporary name, reads it back, compares it with the model, and renames it. Throws
/// invalid_argument, before anything is written, where recipe and values do not fit: names that are there
/// twice, scales or centroids that the dtype of the file does not hold exactly, codes without a centroid.
/// Throws io as verify_compact_file does; an older file of that name then stays as it was. A
/// target that exists and is not a regular file (a pipe) is written in place and not verified.
void write_compact_file(const OutputPath& path, const CompactModel& model);

/// Where the codes of a compact file are after it is read.
enum class CodesIn {
  memory,  ///< in vectors: the file may change
  file     ///< in the mapped file, which must not be changed in place as long as the codes are used
};

/// Reads files of all versions up to 4. Throws io; cancelled; format, naming file and tensor, also for data
/// that does not have its checksum; unsupported for a file of a later version; memory_limit, before the
/// memory is taken, where the context has less than the codes, scales, codebooks and the recipe take.
CompactModel read_compact_file(const std::filesystem::path& path, const Context& context = Context{1});
CompactModel read_compact_file(const SafetensorsFile& file, CodesIn codes = CodesIn::memory,
                               const Context& context = Context{1});

/// Reads the file, from the system's cache if it is still there. Throws io if a code, scale, codebook, value
/// of another tensor or tied name differs from the model. Metadata is not compared. write_compact_file has
/// compared already: call this after the file was copied or moved, while the model is still in memory.
void verify_compact_file(const std::filesystem::path& path, const CompactModel& model);

/// Whether the metadata of the file names it a compact file.
bool is_compact_file(const SafetensorsFile& file);

struct DequantizeOptions {
  /// Most bytes of tensors in a shard, for an output that is named as an index. Larger tensors have one of
  /// their own.
  std::int64_t shard_size = 5'000'000'000;
};

template <OptionsOf<DequantizeOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"shard_size", "most bytes of tensors in a shard, for an output NAME.safetensors.index.json", 1,
              1e15},
        options.shard_size);
}

/// Turns a compact file into a safetensors file of the model, and returns the recipe of the compact file.
/// Throws what read_compact_file and write_dequantized throw.
CompactRecipe dequantize(const std::filesystem::path& compact, const OutputPath& output,
                         const Context& context = Context{}, const DequantizeOptions& options = {});

/// Writes all tensors of the model under their names and in their dtypes: weights decoded, tied tensors each
/// with its values. Decodes one tensor at a time through an AtomicFile, so the memory is that of the largest.
/// Throws unsupported, naming file and tensor, if that is more than the machine has.
///
/// A path NAME.safetensors.index.json makes a sharded model: NAME-00001-of-00002.safetensors and so on,
/// tensors in the order of their names. The shards and the index appear together.
void write_dequantized(const OutputPath& path, const CompactModel& model, const Context& context = Context{},
                       const DequantizeOptions& options = {});

}  // namespace parsimony::quant
