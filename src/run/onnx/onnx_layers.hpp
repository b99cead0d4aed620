// Layers of networks as nodes of ONNX.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/run/export.hpp"
#include "run/onnx/onnx_graph.hpp"

namespace parsimony::run {

/// A weight with an output in each row.
struct OnnxWeight {
  std::string name;
  std::vector<std::int64_t> shape;  ///< outputs first
  std::vector<float> values;
};

class OnnxLayers {
 public:
  /// Each layer throws cancelled after the context was stopped.
  OnnxLayers(OnnxWeights kind, const Context& context) : kind_(kind), context_(context) {}

  OnnxGraph graph;

  /// y = x Wᵀ + bias.
  std::string linear(const std::string& x, const OnnxWeight& weight, const std::vector<float>& bias);
  /// A convolution with the zeros of `padding`.
  std::string convolution(const std::string& x, const OnnxWeight& weight, const std::vector<float>& bias,
                          std::int64_t stride, std::int64_t groups, data::ConvolutionPadding padding);
  /// The rows of the weight under the indices.
  std::string embedding(const std::string& indices, const OnnxWeight& weight);

  std::int64_t weights_in_bytes() const { return weights_in_bytes_; }

 private:
  struct Bytes {
    std::string values;
    std::string scales;  ///< one per output
  };
  /// transposed: inputs × outputs.
  Bytes bytes_of(const OnnxWeight& weight, bool transposed);

  OnnxWeights kind_;
  const Context& context_;
  std::map<std::string, std::vector<std::string>> quantized_;  // values as bytes, with scale and zero point
  std::int64_t weights_in_bytes_ = 0;
};

}  // namespace parsimony::run
