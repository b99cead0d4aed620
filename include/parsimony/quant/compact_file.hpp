// A compressed network in one file: a valid safetensors file of codes, codebooks and everything else, laid
// down in docs/formats/compact.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// How a weight lies in the file, all of which is known before it is in codes.
struct WeightRecipe {
  std::string name;                 ///< of the weight in the model
  std::vector<std::int64_t> shape;  ///< 2-D to 5-D
  DType dtype = DType::float32;     ///< of the weight in the model: float32, float16 or bfloat16
  std::string kind;                 ///< of its layer, as who trained it says: "linear"; may be empty
  Scheme scheme = Scheme::integer;
  int bits = 8;
  std::int64_t scales = 1;                ///< values of scale: 1 or shape[0]; 0 of a product without
  DType scale_dtype = DType::float32;     ///< float32 or float16
  DType zero_point_dtype = DType::uint8;  ///< of integers: uint8 or, where one is no code, int32
  BlockLayout layout = BlockLayout::row;  ///< this and the rest: of a product
  std::int64_t block_size = 0;            ///< d, 1 to 4096, and at most run_length of BlockGrid
  std::int64_t centroids = 0;             ///< K, 1 to 2^bits
  CodebookType codebook_type = CodebookType::float16;
  std::string codebook;   ///< tensor of the codebook, which others may share; empty: <name>_codebook
  bool permuted = false;  ///< has a channel permutation
};

/// A tensor that is not in codes.
struct OtherRecipe : TensorInfo {       ///< as it is in the model
  DType stored_dtype = DType::float32;  ///< the same, or float16 in place of float32
};

struct CompactRecipe {
  std::vector<WeightRecipe> weights;
  std::vector<OtherRecipe> others;
  std::map<std::string, std::string, std::less<>> aliases;  ///< name of a tied weight → whose values it has
  TensorMetadata metadata;                                  ///< of the model, kept beside that of the format
  /// The header is deflated: of small models, where it would be a large part of the file. Other programs then
  /// see two tensors of bytes, and a reader copies the file instead of mapping it.
  bool deflated = false;
};

/// What write_compact_file writes: the tensors, and bytes of the file, to the byte.
std::vector<TensorInfo> stored_tensors(const CompactRecipe& recipe);
std::int64_t planned_size(const CompactRecipe& recipe);

/// What the file has to say of the tensor; float32 scales unless all of them are halves and half_scales.
WeightRecipe recipe_of(std::string name, const QuantizedTensor& tensor, bool half_scales = false);

struct CompactModel {
  CompactRecipe recipe;
  std::vector<QuantizedTensor> weights;  ///< as recipe.weights
  std::vector<TensorView> others;        ///< as recipe.others, in the dtype of the model or of the file
  std::vector<SafetensorsFile> storage;  ///< of the bytes of others, which live as long

  const QuantizedTensor* find_weight(std::string_view name) const;  ///< aliases are followed; may be nullptr
};

/// Throws invalid_argument where recipe and values do not fit: names that are there twice, scales or
/// centroids that the dtype of the file does not hold exactly, codes without a centroid. Nothing is written
/// then.
void write_compact_file(const std::filesystem::path& path, const CompactModel& model);

/// Throws io; format, naming file and tensor; unsupported for a file of a later version.
CompactModel read_compact_file(const std::filesystem::path& path);
CompactModel read_compact_file(const SafetensorsFile& file);

/// Reads the file back, from the system's cache if it is still there, and throws io where a code, scale,
/// codebook, value of another tensor or tied name is not that of the model. Metadata is not compared.
void verify_compact_file(const std::filesystem::path& path, const CompactModel& model);

/// Whether it says of itself to be one.
bool is_compact_file(const SafetensorsFile& file);

/// The weights decoded, in their dtypes of the model, tied ones each with its values, and the others: under
/// the names of the model. Through an AtomicFile, one after the other: memory is taken for the largest of
/// them. Throws unsupported where that is more than the machine has, naming file and tensor.
void write_decompressed(const std::filesystem::path& path, const CompactModel& model,
                        const Context& context = Context{});

}  // namespace parsimony::quant
