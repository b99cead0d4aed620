// Which dimensions of a weight are its outputs. Most weights have them first; stacked experts, layers with
// inputs first and transposed convolutions do not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::quant {

/// The dimensions in the order in which codes see them. Both lists empty: the first dimension counts the
/// outputs. Otherwise each dimension is in one of the lists: those of `outputs`, merged in their order, are
/// the first dimension of the coded weight, and those of `inputs` its others, input channels first.
///
/// Stacked experts (expert, output, input) have {0, 1} and {2}; the Conv1D of GPT-2 (input, output) has {1}
/// and {0}; kernels of TensorFlow and JAX (height, width, input, output) have {3} and {2, 0, 1}.
struct WeightAxes {
  std::vector<int> outputs, inputs;

  bool standard() const { return outputs.empty() && inputs.empty(); }
  friend bool operator==(const WeightAxes&, const WeightAxes&) = default;
};

/// The shape of the coded weight: outputs first. Throws invalid_argument for axes that do not name each
/// dimension once, and without an input.
std::vector<std::int64_t> coded_shape(std::span<const std::int64_t> shape, const WeightAxes& axes);

/// Values of a weight of this shape, moved from the order of the model to that of the codes. O(values).
std::vector<float> to_coded_order(std::span<const float> values, std::span<const std::int64_t> shape,
                                  const WeightAxes& axes);
/// The inverse of to_coded_order.
std::vector<float> from_coded_order(std::span<const float> values, std::span<const std::int64_t> shape,
                                    const WeightAxes& axes);

}  // namespace parsimony::quant
