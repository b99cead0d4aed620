// Implements add_efficientnet of run/onnx/export_network.hpp.
#include "run/efficientnet_weights.hpp"
#include "run/onnx/export_network.hpp"
#include "run/pointwise.hpp"

namespace parsimony::run {
namespace {

class EfficientNetExport {
 public:
  EfficientNetExport(OnnxLayers& layers, Weights& weights, const data::EfficientNetShape& shape,
                     data::ConvolutionPadding padding)
      : layers_(layers), weights_(weights), lite_(shape.lite), padding_(padding) {
    if (lite_) {
      zero_ = layers.graph.scalar(0);
      six_ = layers.graph.scalar(6);
    }
  }

  OnnxWeight weight(const std::string& name) {
    std::vector<std::int64_t> shape = weights_.shape_of(name + ".weight");
    return {name, std::move(shape), decoded_weight(weights_, name + ".weight")};
  }

  // A convolution with the batch norm in its weight.
  std::string convolution(const std::string& x, const std::string& name, const std::string& norm,
                          std::int64_t stride = 1, std::int64_t groups = 1) {
    OnnxWeight folded = weight(name);
    const std::int64_t outputs = folded.shape[0], each = std::ssize(folded.values) / outputs;
    const FoldedNorm factors =
        FoldedNorm::batch_norm(weights_, norm, outputs, data::batch_norm_epsilon(padding_));
    for (std::int64_t i = 0; i < outputs * each; ++i) folded.values[i] *= factors.factor[i / each];
    return layers_.convolution(x, folded, factors.bias, stride, groups, padding_);
  }

  std::string activation(const std::string& x) {
    return lite_ ? layers_.graph.node("Clip", {x, zero_, six_}) : silu(x);
  }
  std::string silu(const std::string& x) {
    return layers_.graph.node("Mul", {x, layers_.graph.node("Sigmoid", {x})});
  }
  std::string excited(const std::string& x, const std::string& name) {
    const std::string mean = layers_.graph.node("GlobalAveragePool", {x});
    const std::string gate = layers_.graph.node(
        "Sigmoid", {plain(silu(plain(mean, name + ".conv_reduce")), name + ".conv_expand")});
    return layers_.graph.node("Mul", {x, gate});
  }

  std::string block(const std::string& x, const std::string& name,
                    const data::EfficientNetBlockShape& shape) {
    std::string y = x;
    if (shape.expansion > 1) y = activation(convolution(y, name + ".conv_pw", name + ".bn1"));
    y = activation(
        convolution(y, name + ".conv_dw", name + "." + shape.depthwise_norm(), shape.stride, shape.wide()));
    if (shape.reduced > 0) y = excited(y, name + ".se");
    y = convolution(y, name + "." + shape.projection(), name + "." + shape.projection_norm());
    return shape.adds_input() ? layers_.graph.node("Add", {y, x}) : y;
  }

 private:
  // A convolution with a bias.
  std::string plain(const std::string& x, const std::string& name) {
    const OnnxWeight values = weight(name);
    const FoldedNorm bias = FoldedNorm::bias_alone(weights_, name + ".bias", values.shape[0]);
    return layers_.convolution(x, values, bias.bias, 1, 1, padding_);
  }

  OnnxLayers& layers_;
  Weights& weights_;
  bool lite_;
  data::ConvolutionPadding padding_;
  std::string zero_, six_;
};

}  // namespace

void add_efficientnet(OnnxLayers& layers, Weights& weights, data::EfficientNetVariant variant,
                      data::ConvolutionPadding padding) {
  const data::EfficientNetShape shape = data::efficientnet_shape(variant);
  OnnxGraph& graph = layers.graph;
  EfficientNetExport net(layers, weights, shape, padding);
  graph.input("images", OnnxType::float32, {"batch", std::int64_t{3}, "height", "width"});
  std::string x = net.activation(net.convolution("images", "conv_stem", "bn1", 2));
  for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
    for (std::size_t block = 0; block < shape.stages[stage].size(); ++block) {
      x = net.block(x, block_name(stage, block), shape.stages[stage][block]);
    }
  }
  x = net.activation(net.convolution(x, "conv_head", "bn2"));
  x = graph.node("Flatten", {graph.node("GlobalAveragePool", {x})});
  const OnnxWeight classifier = net.weight("classifier");
  const std::int64_t classes = classifier.shape[0];
  graph.rename(layers.linear(x, classifier, FoldedNorm::bias_alone(weights, "classifier.bias", classes).bias),
               "logits");
  graph.output("logits", OnnxType::float32, {"batch", classes});
}

}  // namespace parsimony::run
