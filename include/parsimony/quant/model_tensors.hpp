// The tensors of a model that is to be compressed, in a file or in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

/// Tensors by name, with the metadata that a compact file keeps. Copies are cheap for a file, whose bytes
/// they share.
class ModelTensors {
 public:
  /// All tensors of a file; the file stays open as long as this object or a copy lives.
  ModelTensors(const SafetensorsFile& file);
  /// Views of memory, in any order. The bytes must outlive this object and every CompactModel made from it.
  /// name stands in messages. Throws invalid_argument for a name that is there twice and for data of another
  /// size than dtype and shape ask for.
  explicit ModelTensors(std::span<const TensorView> tensors, TensorMetadata metadata = {},
                        std::string name = "model");

  std::span<const TensorView> tensors() const { return file_ ? file_->tensors() : tensors_; }  ///< by name
  const TensorView& at(std::string_view name) const;  ///< throws format when there is no such tensor
  const TensorMetadata& metadata() const { return metadata_; }
  void add_metadata(const std::string& key, std::string value) { metadata_[key] = std::move(value); }
  const std::string& name() const { return file_ ? file_->name() : name_; }
  std::int64_t bytes() const;  ///< size of the safetensors file, or of the one that would hold the tensors
  const std::optional<SafetensorsFile>& file() const { return file_; }

 private:
  std::optional<SafetensorsFile> file_;
  std::vector<TensorView> tensors_;  // without a file, by name
  TensorMetadata metadata_;
  std::string name_;
};

}  // namespace parsimony::quant
