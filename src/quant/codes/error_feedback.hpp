// Codes that make up for each other's errors on the inputs of a layer.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Most inputs of a layer: their moments take 8 bytes each squared.
constexpr std::int64_t kMostFeedbackInputs = 1 << 13;

/// Bytes that input_moments() and feed_errors_back() take for a layer of so many inputs, without the samples:
/// the moments, two copies of them in other orders, and half of a matrix of floats.
inline std::int64_t feedback_memory(std::int64_t inputs) {
  const std::int64_t n = std::min(inputs, kMostFeedbackInputs);
  return 26 * n * n;
}

/// Σ x xᵀ over the samples x of a tensor whose dimension `axis` counts the channels. O(samples · channels²).
Matrix<double> input_moments(const TensorView& input, std::size_t axis, const Context& context);

/// Chooses the codes of integers or levels anew, output by output, one input after the other: each takes over
/// the errors of those before it as far as the inputs are correlated [frantar2023gptq]. Scales, zero points
/// and levels stay. The error Σ (x · (w − ŵ))² of the outputs falls by it, the error of the weights grows.
///
/// moments: n × n, of the n values of an output, all outputs having the same inputs. Inputs of large energy
/// come first, and a hundredth of the mean energy is added to each, so that inputs that are always 0 keep
/// their codes. O(n³ / 3 + outputs · n²). The same bytes for any number of threads.
void feed_errors_back(const WeightView& weight, const Matrix<double>& moments, QuantizedTensor& tensor,
                      const Context& context);

}  // namespace parsimony::quant
