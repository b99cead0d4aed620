// Batch normalisation around quantized layers.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// Whether there is any that keeps statistics.
bool has_batch_norm(torch::nn::Module& model);

/// Statistics anew, after weights were quantized: of all batches that pass() sends through the model, the
/// average of their means and variances. Layers other than BatchNorm are in evaluation mode meanwhile, and no
/// gradients are recorded; then all modes are as they were. Throws invalid_argument if pass() reached no
/// BatchNorm, after which, as after any exception of pass(), the statistics are as before.
void recalibrate_batch_norm(torch::nn::Module& model, const std::function<void()>& pass);

struct NormalizedLayer {
  std::string layer;       ///< name of a Conv1d to Conv3d or Linear
  std::string batch_norm;  ///< name of the BatchNorm that alone reads its output
};

/// Pairs by registration: a layer, and the BatchNorm of as many channels that the same module registers next.
/// That nothing else reads the layer's output is for the caller to know.
std::vector<NormalizedLayer> layers_before_batch_norm(torch::nn::Module& model);

/// Divides each filter (and its bias) by its root mean square, and changes the BatchNorm behind it so that in
/// evaluation the model computes the same; in training too, but for BatchNorm's eps. Filters of one size
/// share a codebook better [stock2020bit], and cost no byte more. Filters of zeros stay. Throws
/// invalid_argument for a name that is no such layer, or channels that differ, before anything is changed.
void normalize_filters(torch::nn::Module& model, const std::vector<NormalizedLayer>& pairs);

/// Puts the statistics of each BatchNorm that has a weight and a bias into these: means are 0 then and
/// variances 1, and in evaluation the model computes the same but for rounding. A file holds that in half of
/// the bytes; the model is not to be trained on.
void fold_statistics(torch::nn::Module& model);

}  // namespace parsimony::train
