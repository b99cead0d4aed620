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

/// Second moments E[x²] of the inputs of each layer while pass() sends batches through the model. The key is
/// the name of the layer; the values have the form of WeightView::importance: one per input channel, or one
/// per value of the weight for grouped convolutions and embeddings (whose rows count as often as they are
/// looked up). Two kinds of layers are left out: those that pass() does not reach, and those that do not call
/// linear, conv1d to conv3d or embedding with their weight. The modules are not changed: the function
/// observes the operations of this thread.
///
/// Padding of convolutions and EmbeddingBag are not counted. No gradients are recorded.
std::map<std::string, std::vector<float>> input_second_moments(torch::nn::Module& model,
                                                               const std::function<void()>& pass);

/// The same with the means E[x] per input channel, by which the biases of quantized layers can be put right;
/// empty for embeddings.
struct InputMoments {
  std::vector<float> mean, second;
};
std::map<std::string, InputMoments> input_moments(torch::nn::Module& model,
                                                  const std::function<void()>& pass);

}  // namespace parsimony::train
