// The tensors that a compact file stores for a model.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

/// Lists the tensors of the file, with their bytes if values are given and without data otherwise. Weights
/// that share a codebook must name the same one: it is stored with the first of them.
class StoredTensors {
 public:
  /// Throws invalid_argument for a recipe that the format does not have, and for values that the dtypes of
  /// the recipe do not hold exactly. tensor: nullptr, or codes that must outlive this object.
  void add(const WeightRecipe& weight, const QuantizedTensor* tensor);
  /// view: nullptr, or a tensor that must outlive this object.
  void add(const OtherRecipe& other, const TensorView* view);

  std::vector<TensorView> tensors;

 private:
  struct Shared {
    WeightRecipe first;
    const QuantizedTensor* tensor;
  };
  void push(std::string name, DType dtype, std::vector<std::int64_t> shape, std::vector<std::uint8_t> bytes);
  void add_scale_indices(const WeightRecipe& weight, const QuantizedTensor* tensor);
  void add_codebook(const WeightRecipe& weight, const QuantizedTensor* tensor);

  std::map<std::string, Shared> codebooks_;
  std::deque<std::vector<std::uint8_t>> buffers_;  // a deque, so that elements stay where they are
};

/// Throws invalid_argument for a name that is there twice, for an alias of a tensor that is not in the file,
/// and for implied tensors that are not those of a batch norm in it.
void check_names(const CompactRecipe& recipe);

[[noreturn]] void refuse_tensor(const std::string& name, const std::string& what);

}  // namespace parsimony::quant
