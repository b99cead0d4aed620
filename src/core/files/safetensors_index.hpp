// The index of a model in several safetensors files: model.safetensors.index.json beside its shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace parsimony {

struct SafetensorsIndex {
  std::vector<std::string>
      shards;  ///< names of files in the folder of the index, in the order of their names
  std::map<std::string, std::size_t, std::less<>> tensors;  ///< name of a tensor to its place in shards
};

/// Reads {"weight_map": {tensor: file}, ...}; other members say nothing that the shards do not. Throws format
/// for text that is not such JSON, a tensor that is there twice, and a shard that is not a plain name of a
/// file: an index never reaches outside its own folder. Takes memory for the map alone.
SafetensorsIndex parse_safetensors_index(std::string_view json, const std::string& file);

/// An upper bound of the bytes that the index and the tensors of all its shards take, by the text alone.
std::int64_t index_memory(std::string_view json);

/// The text of an index: {"metadata": {"total_size": ...}, "weight_map": {...}}.
std::string safetensors_index_text(const SafetensorsIndex& index, std::int64_t total_bytes);

}  // namespace parsimony
