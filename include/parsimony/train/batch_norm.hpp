// Batch normalization around quantized layers.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace at {
class Tensor;
}
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

/// Means and variances of all BatchNorms, by the names of their buffers.
using BatchNormStatistics = std::map<std::string, at::Tensor>;

/// A copy of the present statistics.
BatchNormStatistics batch_norm_statistics(torch::nn::Module& model);

/// The statistics that recalibrate_batch_norm() would set, with its errors. The model keeps its own.
BatchNormStatistics measured_statistics(torch::nn::Module& model, const std::function<void()>& pass);

/// The statistics moved by the difference between two measurements on the same inputs, one before and one
/// after the weights were quantized: m + after − before for a mean, v · after / before for a variance. A few
/// inputs are enough, and they may be of another kind than those of the training, because only the difference
/// counts. present and after must have the names of before.
BatchNormStatistics moved_statistics(const BatchNormStatistics& present, const BatchNormStatistics& before,
                                     const BatchNormStatistics& after);

/// Replaces the statistics that are named. Throws invalid_argument for a name that the model lacks.
void set_statistics(torch::nn::Module& model, const BatchNormStatistics& statistics);

/// Puts every BatchNorm into evaluation mode: it normalizes by its statistics, which do not change, until
/// train() is called. Best for training a finished network on with few examples or small batches.
void freeze_batch_norm(torch::nn::Module& model);

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
