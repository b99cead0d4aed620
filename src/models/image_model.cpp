#include "models/image_model.hpp"

#include <torch/torch.h>

#include "parsimony/core/error.hpp"
#include "parsimony/models/efficientnet.hpp"
#include "parsimony/models/resnet.hpp"

namespace parsimony::models {
namespace {

constexpr std::int64_t kSmallImage = 32;

static_assert(static_cast<int>(ImageNetwork::efficientnet_lite4) -
                  static_cast<int>(ImageNetwork::efficientnet_b0) ==
              static_cast<int>(EfficientNetVariant::lite4));

template <class Network>
ImageModel image_model_of(std::shared_ptr<Network> network) {
  return {network, [network](const torch::Tensor& images, std::vector<torch::Tensor>* states) {
            return network->forward(images, states);
          }};
}

}  // namespace

EfficientNetVariant variant_of(ImageNetwork network) {
  return static_cast<EfficientNetVariant>(static_cast<int>(network) -
                                          static_cast<int>(ImageNetwork::efficientnet_b0));
}

std::int64_t image_side(ImageNetwork network) {
  return network == ImageNetwork::resnet ? kSmallImage : image_side(variant_of(network));
}

ImageModel make_image_model(const ImageTaskOptions& options, std::int64_t classes) {
  if (options.network == ImageNetwork::resnet) {
    return image_model_of(std::make_shared<ResNet>(ResNetOptions{
        .depth = options.depth, .classes = classes, .activation_bits = options.activation_bits}));
  }
  if (options.activation_bits != 0) refuse("activation_bits: ResNets alone have it; must be 0");
  return image_model_of(
      std::make_shared<EfficientNet>(EfficientNetOptions{.variant = variant_of(options.network),
                                                         .classes = classes,
                                                         .padding = options.padding,
                                                         .dropout = options.dropout,
                                                         .drop_connect = options.drop_connect}));
}

}  // namespace parsimony::models
