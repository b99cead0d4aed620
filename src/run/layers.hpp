// Layers of a network: linear layers and embeddings from codes or floats, and layer norms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/layer_norm.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

/// y = x Wᵀ + bias.
class LinearLayer {
 public:
  enum class Bias { given, none };

  /// Takes name.weight and name.bias. Throws format for other shapes.
  LinearLayer(Weights& weights, const std::string& name, std::int64_t outputs, std::int64_t inputs,
              const quant::PackedLinearOptions& options, Bias bias = Bias::given);

  bool in_codes() const { return packed_.has_value(); }
  std::int64_t outputs() const { return outputs_; }
  std::int64_t bytes() const;
  /// x: n × inputs; y: n × outputs.
  void multiply(MatrixView<const float> x, MatrixView<float> y, const Context& context) const;
  /// Most memory of a product with so many rows.
  std::int64_t product_bytes(std::int64_t rows, int threads) const;

 private:
  void multiply_rows(MatrixView<const float> x, MatrixView<float> y, const Context& context) const;
  void multiply_floats(MatrixView<const float> x, MatrixView<float> y, const Context& context) const;

  std::int64_t outputs_, inputs_;
  std::vector<float> bias_;  // empty without one, and with packed_, which has it
  std::optional<quant::PackedLinear> packed_;
  TensorView floats_;  // without packed_
};

class EmbeddingLayer {
 public:
  EmbeddingLayer(Weights& weights, const std::string& name, std::int64_t rows, std::int64_t width);

  bool in_codes() const { return packed_.has_value(); }
  std::int64_t bytes() const { return packed_ ? packed_->bytes() : 0; }
  /// Adds a row to `to`.
  void add_row(std::int64_t row, std::span<float> to) const;

 private:
  std::optional<quant::PackedEmbedding> packed_;
  TensorView floats_;
};

class NormLayer {
 public:
  NormLayer(const Weights& weights, const std::string& name, std::int64_t width, double epsilon);

  std::int64_t bytes() const { return static_cast<std::int64_t>(weight_.size() + bias_.size()) * 4; }
  /// Each row of x becomes the norm of its sum with the row of y. y may be empty.
  void add_and_normalize(MatrixView<float> x, MatrixView<const float> y, const Context& context) const;

 private:
  std::vector<float> weight_, bias_;
  float epsilon_;
};

}  // namespace parsimony::run
