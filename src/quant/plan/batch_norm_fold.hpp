// Batch norms as a factor and a shift for each channel.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

/// Epsilon of the batch norms by the options.
inline double epsilon_of(const CompressOptions& options) {
  return options.batch_norm_epsilon > 0 ? options.batch_norm_epsilon : 1e-5;
}

/// The parts of a batch norm as a model has them, one value a channel.
struct BatchNorm {
  std::vector<float> weight, bias, mean, variance;
};

/// The batch norms of a model by their names "m": those with float32 tensors m.weight, m.bias, m.running_mean
/// and m.running_var of one dimension and of one size, whose values are finite and whose variances with
/// epsilon are above 0.
std::vector<std::string> foldable_norms(const ModelTensors& model, double epsilon);

BatchNorm batch_norm(const ModelTensors& model, const std::string& name);

/// The weight w = g √((1 + ε) / (v + ε)) and the bias b − m w / √(1 + ε), which with running means of 0 and
/// variances of 1 are the same function as weight g, bias b, means m and variances v. half: the file has the
/// weight as float16, whose rounding the bias then takes into account, so that the mean m still becomes b.
BatchNorm folded(const BatchNorm& norm, double epsilon, bool half);

}  // namespace parsimony::quant
