// Networks as graphs of ONNX.
#pragma once

#include "parsimony/data/encoder_config.hpp"
#include "run/onnx/onnx_layers.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

void add_efficientnet(OnnxLayers& layers, Weights& weights, data::EfficientNetVariant variant,
                      data::ConvolutionPadding padding);

void add_encoder(OnnxLayers& layers, Weights& weights, const data::EncoderConfig& config);

}  // namespace parsimony::run
