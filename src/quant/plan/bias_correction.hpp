// Puts the means right that quantization shifts in networks with batch norm, without data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/model_tensors.hpp"
#include "quant/plan/batch_norm_network.hpp"

namespace parsimony::quant {

/// Mean and variance of each channel.
struct ChannelMoments {
  std::vector<double> mean, variance;
};

/// Moments of activation(x) of channels x that are normal. Integrates numerically, to about 1e-5 of the
/// deviation.
ChannelMoments activated(const ChannelMoments& channels, Activation activation);

/// Tensors that correct the means, by name.
using Corrections = TensorValues;

/// New running means, and biases where no batch norm follows, for layers whose weights lost something to
/// their codes.
///
/// The output of layer o is off by Σ_c ΔW_oc E[x_c] on average, ΔW summed over the kernel. The means of the
/// inputs are those of the batch norm before it, γ z + β with z normal, after the activation; where layers
/// are added, their means and variances are, as if they were independent [nagel2019datafree]. Borders of
/// zeros around the inputs are not counted. Tensors that are tied to others or not float32 stay as they are.
/// O(weights in codes).
Corrections correct_biases(const ModelTensors& model, const CompactRecipe& recipe,
                           const std::vector<QuantizedTensor>& weights, const Context& context);

}  // namespace parsimony::quant
