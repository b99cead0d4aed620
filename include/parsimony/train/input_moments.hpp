// Measures the inputs of layers, which determine the importance of their weights.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// Second moments E[x²] of the inputs of each layer while pass() sends batches through the model, by the name
/// of the layer and in the form of WeightView::importance. Most layers have one moment per input channel. A
/// grouped convolution and an embedding (whose rows count as often as they are looked up) have one per value
/// of the weight. Layers that pass() does not reach are left out, and so are layers that do not call linear,
/// conv1d to conv3d or embedding with their weight. The modules are not changed: the function observes the
/// operations of this thread.
///
/// Padding of convolutions and EmbeddingBag are not counted. No gradients are recorded.
std::map<std::string, std::vector<float>> input_second_moments(torch::nn::Module& model,
                                                               const std::function<void()>& pass);

}  // namespace parsimony::train
