// 1 × 1 convolutions and linear layers with what follows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/activation.hpp"
#include "kernels/finish_rows.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

/// Batch norm in one step, y = factor · x + bias, or a bias alone, completed to a multiple of 16.
struct FoldedNorm {
  std::vector<float> factor, bias;

  /// The batch norm that has the tensors name.weight, name.bias, name.running_mean and name.running_var.
  static FoldedNorm batch_norm(const Weights& weights, const std::string& name, std::int64_t channels,
                               double epsilon);
  static FoldedNorm none(std::int64_t channels);  ///< y = x
  /// The bias in `tensor`, with a factor of 1.
  static FoldedNorm bias_alone(const Weights& weights, const std::string& tensor, std::int64_t channels);
};

/// The values of a weight in C order, from floats or from codes.
std::vector<float> decoded_weight(Weights& weights, const std::string& tensor);

/// Most values of a weight in codes that may be decoded when it is read: 256 KiB of floats.
inline constexpr std::int64_t kMostDecoded = 1 << 16;

struct PointwiseOptions {
  std::int64_t outputs = 0, inputs = 0;
  std::int64_t rows = 1;  ///< rows of x that are usual: they decide how a weight in codes is multiplied
  kernels::Activation activation = kernels::Activation::none;
  quant::PackedLinearOptions product;
};

/// y = activation(factor ⊙ (W x) + bias) + add.
///
/// Weights that are floats in the file are kept as floats, in the order of the kernels. Those in codes stay
/// in codes, but for weights of up to 256 KiB as floats with so many rows of x that products with floats are
/// no slower.
class PointwiseLayer {
 public:
  /// Outputs of a panel; the last panel has 16 or 32.
  static constexpr std::int64_t kPanel = 32;
  /// Rows of x that are multiplied at once.
  static constexpr std::int64_t kRows = 64;

  /// Takes name.weight. Its shape and that of the norm have been checked.
  PointwiseLayer(Weights& weights, const std::string& name, FoldedNorm norm, const PointwiseOptions& options);

  std::int64_t outputs() const { return options_.outputs; }
  std::int64_t padded_outputs() const { return static_cast<std::int64_t>(norm_.bias.size()); }
  std::int64_t bytes() const;
  bool in_codes() const { return in_codes_; }
  /// Most memory of multiply() with so many rows.
  std::int64_t product_bytes(std::int64_t rows, int threads) const {
    return packed_ ? packed_->product_bytes(rows, threads) : 0;
  }

  /// x: n × inputs; y: n × outputs, with a stride of at least padded_outputs(), whose columns up to there are
  /// overwritten. add: rows with the stride of y, or nullptr. Nothing may overlap.
  void multiply(MatrixView<const float> x, MatrixView<float> y, const float* add,
                const Context& context) const;

  /// Whether panel() can be used.
  bool has_panels() const { return !packed_; }
  std::int64_t panels() const { return (padded_outputs() + kPanel - 1) / kPanel; }
  std::int64_t panel_columns(std::int64_t panel) const;
  /// tile (x.rows × panel_columns) = W x for the outputs of a panel, with the factor but without the bias.
  void panel(MatrixView<const float> x, std::int64_t panel, float* tile) const;
  /// The rest of the layer for the outputs from 32 · panel on.
  kernels::Finish finish(std::int64_t panel) const;

 private:
  PointwiseOptions options_;
  FoldedNorm norm_;
  bool in_codes_ = false;
  std::optional<quant::PackedLinear> packed_;
  Matrix<float> panels_;  // without packed_: [panel][input][output], with the factor
};

}  // namespace parsimony::run
