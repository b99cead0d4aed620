// What the layers of a model read, as the importance of their weights.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// The second moments E[x²] of the inputs of the layers while pass() sends batches through the model, by the
/// names of the layers, as WeightView::importance takes them: one per input channel; of a convolution in
/// groups and of an embedding, whose rows count as often as they are looked up, one per value of the weight.
/// Layers that were not reached are left out; so are all that do not call linear, conv1d to conv3d or
/// embedding with their weight. The modules are not touched: the operations are observed in this thread.
///
/// Neither the padding of convolutions nor EmbeddingBag counts. No gradients are recorded.
std::map<std::string, std::vector<float>> input_second_moments(torch::nn::Module& model,
                                                               const std::function<void()>& pass);

}  // namespace parsimony::train
