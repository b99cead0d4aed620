#include "run/onnx/onnx_layers.hpp"

#include <algorithm>
#include <cmath>

namespace parsimony::run {
namespace {

constexpr std::int64_t kFloat = static_cast<std::int64_t>(OnnxType::float32);
constexpr float kMostByte = 127;

template <class T>
std::vector<T> transposed_copy(const std::vector<T>& values, std::int64_t rows) {
  const std::int64_t columns = std::ssize(values) / rows;
  std::vector<T> out(values.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
  }
  return out;
}

}  // namespace

OnnxLayers::Bytes OnnxLayers::bytes_of(const OnnxWeight& weight, bool transposed) {
  const std::int64_t outputs = weight.shape[0], each = std::ssize(weight.values) / outputs;
  std::vector<std::int8_t> bytes(weight.values.size());
  std::vector<float> scales(outputs);
  for (std::int64_t o = 0; o < outputs; ++o) {
    context_.check_cancelled();
    float most = 0;
    for (std::int64_t i = 0; i < each; ++i) most = std::max(most, std::abs(weight.values[o * each + i]));
    scales[o] = most > 0 ? most / kMostByte : 1;
    for (std::int64_t i = 0; i < each; ++i) {
      bytes[o * each + i] = static_cast<std::int8_t>(std::lround(weight.values[o * each + i] / scales[o]));
    }
  }
  std::vector<std::int64_t> shape = weight.shape;
  if (transposed) {
    bytes = transposed_copy(bytes, outputs);
    shape = {each, outputs};
  }
  ++weights_in_bytes_;
  return {graph.constant(weight.name, shape, std::span<const std::int8_t>(bytes)),
          graph.constant(weight.name + "_scale", {outputs}, std::span<const float>(scales))};
}

std::string OnnxLayers::linear(const std::string& x, const OnnxWeight& weight,
                               const std::vector<float>& bias) {
  context_.check_cancelled();
  const std::int64_t outputs = weight.shape[0], inputs = weight.shape[1];
  std::string product;
  if (kind_ == OnnxWeights::floats) {
    const std::vector<float> values = transposed_copy(weight.values, outputs);
    product = graph.node("MatMul",
                         {x, graph.constant(weight.name, {inputs, outputs}, std::span<const float>(values))});
  } else {
    const Bytes bytes = bytes_of(weight, true);
    std::vector<std::string>& rounded = quantized_[x];
    if (rounded.empty()) rounded = graph.node_of("DynamicQuantizeLinear", {x}, 3);
    const std::string sums = graph.node("MatMulInteger", {rounded[0], bytes.values, rounded[2]});
    product = graph.node(
        "Mul", {graph.node("Cast", {sums}, {{"to", kFloat}}), graph.node("Mul", {rounded[1], bytes.scales})});
  }
  return graph.node("Add", {product, graph.constant(weight.name + "_bias", {outputs},
                                                    std::span<const float>(bias).first(outputs))});
}

std::string OnnxLayers::convolution(const std::string& x, const OnnxWeight& weight,
                                    const std::vector<float>& bias, std::int64_t stride, std::int64_t groups,
                                    data::ConvolutionPadding padding) {
  context_.check_cancelled();
  std::string values;
  if (kind_ == OnnxWeights::floats) {
    values = graph.constant(weight.name, weight.shape, std::span<const float>(weight.values));
  } else {
    // ONNX Runtime folds these constants when it loads the file; DequantizeLinear would run for each image.
    const Bytes bytes = bytes_of(weight, false);
    const std::string scales = graph.node("Reshape", {bytes.scales, graph.list({weight.shape[0], 1, 1, 1})});
    values = graph.node("Mul", {graph.node("Cast", {bytes.values}, {{"to", kFloat}}), scales});
  }
  const std::int64_t outputs = weight.shape[0], kernel = weight.shape[2], zeros = (kernel - 1) / 2;
  const std::string shift =
      graph.constant(weight.name + "_bias", {outputs}, std::span<const float>(bias).first(outputs));
  std::vector<OnnxAttribute> attributes{{"kernel_shape", std::vector<std::int64_t>{kernel, kernel}},
                                        {"strides", std::vector<std::int64_t>{stride, stride}},
                                        {"group", groups}};
  if (padding == data::ConvolutionPadding::same && stride > 1) {
    attributes.emplace_back("auto_pad", std::string("SAME_UPPER"));
  } else {
    attributes.emplace_back("pads", std::vector<std::int64_t>{zeros, zeros, zeros, zeros});
  }
  return graph.node("Conv", {x, values, shift}, attributes);
}

std::string OnnxLayers::embedding(const std::string& indices, const OnnxWeight& weight) {
  context_.check_cancelled();
  if (kind_ == OnnxWeights::floats) {
    return graph.node(
        "Gather",
        {graph.constant(weight.name, weight.shape, std::span<const float>(weight.values)), indices});
  }
  const Bytes bytes = bytes_of(weight, false);
  const std::string rows =
      graph.node("Cast", {graph.node("Gather", {bytes.values, indices})}, {{"to", kFloat}});
  const std::string scales =
      graph.node("Unsqueeze", {graph.node("Gather", {bytes.scales, indices}), graph.list({-1})});
  return graph.node("Mul", {rows, scales});
}

}  // namespace parsimony::run
