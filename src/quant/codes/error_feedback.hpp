// Codes that make up for each other's errors on the inputs of a layer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

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

/// How the codes of a layer make up for each other's errors, from the correlations of its inputs
/// [frantar2023gptq].
class ErrorFeedback {
 public:
  /// moments: n × n, of the n values of an output, all outputs having the same inputs. Inputs of large energy
  /// come first, and a hundredth of the mean energy is added to each, so that inputs that are always 0 keep
  /// their codes. O(n³ / 3).
  explicit ErrorFeedback(const Matrix<double>& moments);

  /// Chooses the codes of integers or levels anew, output by output, one input after the other: each takes
  /// over the errors of those before it as far as the inputs are correlated. Scales, zero points and levels
  /// stay. The error Σ (x · (w − ŵ))² of the outputs falls by it, the error of the weights grows.
  /// O(outputs · n²). The same bytes for any number of threads.
  void apply(const WeightView& weight, QuantizedTensor& tensor, const Context& context) const;

  /// Σ (x · (w − ŵ))² over samples and outputs, over the mean energy Σ x² of an input: Σ (w − ŵ)² for inputs
  /// that are independent and of one energy. decoded: as many values as the weight has.
  /// O(outputs · n²).
  double output_error(const WeightView& weight, std::span<const float> decoded) const;

 private:
  // With moments H = R Rᵀ, R upper triangular, the error of an output is Σ_k R_kk² (e_k + Σ_{j<k} R_jk / R_kk
  // e_j)²: the k-th term is least at e_k = −Σ_j (R_jk / R_kk) e_j. R is the Cholesky factor of the inputs in
  // turned order.
  std::vector<std::int64_t> order_;        // inputs by falling energy
  std::vector<std::vector<float>> parts_;  // [k][j], R_jk / R_kk of the inputs order_[k] and order_[j], j < k
  std::vector<double> energies_;           // R_kk² over the mean energy
};

}  // namespace parsimony::quant
