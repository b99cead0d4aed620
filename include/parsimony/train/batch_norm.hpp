// Batch normalization around quantized layers.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// Whether the model has a BatchNorm that keeps statistics.
bool has_batch_norm(torch::nn::Module& model);

/// Recomputes the statistics of every BatchNorm, as is necessary after weights were quantized: the average of
/// the means and variances of all batches that pass() sends through the model. Meanwhile all other layers are
/// in evaluation mode and no gradients are recorded; then all modes are restored. Throws invalid_argument if
/// pass() reaches no BatchNorm. After this or any exception of pass() the statistics are unchanged.
void recalibrate_batch_norm(torch::nn::Module& model, const std::function<void()>& pass);

struct NormalizedLayer {
  std::string layer;       ///< name of a Conv1d to Conv3d or Linear
  std::string batch_norm;  ///< name of the BatchNorm that reads its output
};

/// Pairs of a layer and the BatchNorm with as many channels that the same module registers next. The caller
/// must make sure that nothing else reads the output of the layer.
std::vector<NormalizedLayer> layers_before_batch_norm(torch::nn::Module& model);

/// Divides each filter (and its bias) by its root mean square and adapts the following BatchNorm, so that the
/// model computes the same in evaluation and, up to BatchNorm's eps, in training. Filters of one size share a
/// codebook better [stock2020bit] at no cost in bytes. Filters of zeros are unchanged. Throws
/// invalid_argument, before anything is changed, for a name that is not such a layer and for numbers of
/// channels that differ.
void normalize_filters(torch::nn::Module& model, const std::vector<NormalizedLayer>& pairs);

/// Folds the statistics of each BatchNorm with weight and bias into these two. The means become 0 and the
/// variances 1, and in evaluation the model computes the same up to rounding. This halves the bytes of batch
/// norms in a file. Do not train the model afterwards.
void fold_statistics(torch::nn::Module& model);

}  // namespace parsimony::train
