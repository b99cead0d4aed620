// The task of classifying labelled images.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/labelled_images.hpp"
#include "parsimony/models/image_network.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {

struct ImageTaskOptions {
  std::filesystem::path archive{};  ///< see data::read_labelled_images, or data::read_pictures with `side`
  std::filesystem::path test_archive{};  ///< where the evaluation images are; empty: in `archive`
  std::string train_split = "train";     ///< folder of the training images
  std::string test_split = "test";       ///< folder of the evaluation images
  ImageNetwork network = ImageNetwork::resnet;
  int depth = 20;                   ///< layers of the ResNet, 6 n + 2
  std::int64_t classes = 0;         ///< the network's; 0: folders of classes, or 1000 with a labels.txt
  int activation_bits = 0;          ///< bits of the integers that layers of a ResNet read; 0: floats
  std::filesystem::path weights{};  ///< initial weights, a safetensors file; empty: random by seed
  /// Pixels of each side to which images are resized. 0 (auto): as they are for a ResNet, for which all must
  /// have one size; image_side() of an EfficientNet. Fewer pixels are faster and less accurate.
  std::int64_t side = 0;
  std::int64_t crop_from = 0;  ///< data::PictureOptions::crop_from
  Normalization normalization = Normalization::by_network;
  ConvolutionPadding padding = ConvolutionPadding::same;  ///< EfficientNet's, as its weights were trained
  /// EfficientNet's dropout before the classifier in training. auto: the authors', 0.2 (B0) to 0.5 (B7), for
  /// training by labels. 0 where a teacher brings a quantized network back.
  double dropout = -1;
  double drop_connect = 0;        ///< EfficientNet's in training; 0.2 for long training from random weights
  std::int64_t crop_padding = 4;  ///< black border in pixels from which a crop of the original size is cut
  bool flip = true;               ///< mirror every second image
  std::uint64_t seed = 0;         ///< seed of the weights
};

template <OptionsOf<ImageTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"archive", "zip of JPEGs, split/class/name.jpg, or pictures with a labels.txt"},
        options.archive);
  visit(Field{"test_archive", "zip or folder with the evaluation images; empty: archive"},
        options.test_archive);
  visit(Field{"train_split", "folder of the training images"}, options.train_split);
  visit(Field{"test_split", "folder of the evaluation images"}, options.test_split);
  visit(Field{"network", "resnet, efficientnet-b0 to b7 or efficientnet-lite0 to lite4"}, options.network);
  visit(Field{"depth", "layers of the ResNet, 6 n + 2", 8, 1202}, options.depth);
  visit(Field{"classes", "classes of the network; auto: folders of classes, or 1000", 2, 1 << 20, "auto", 0},
        options.classes);
  visit(
      Field{"activation_bits", "bits of the integers that layers of a ResNet read, 2 to 8; 0: floats", 0, 8},
      options.activation_bits);
  visit(Field{"weights", "safetensors file with the initial weights; empty: random by seed"},
        options.weights);
  visit(Field{"side", "pixels of each side to which images are resized; auto: by the network", 1, 4096,
              "auto", 0},
        options.side);
  visit(Field{"crop_from", "pixels of the shorter side before the middle is cut out", 1, 8192, "auto", 0},
        options.crop_from);
  visit(Field{"normalization", "mean and standard deviation of the colours"}, options.normalization);
  visit(Field{"padding", "zeros around the inputs of an EfficientNet's convolutions"}, options.padding);
  visit(Field{"dropout", "dropout before the classifier of an EfficientNet; auto: by the network", 0, 0.99,
              "auto", -1},
        options.dropout);
  visit(Field{"drop_connect", "rate at which the last block of an EfficientNet is skipped", 0, 0.99},
        options.drop_connect);
  visit(Field{"crop_padding", "largest shift of a training image in pixels", 0, 1024}, options.crop_padding);
  visit(Field{"flip", "mirror every second image"}, options.flip);
  visit(Field{"seed", "seed of the weights"}, options.seed);
}

/// A network for images of any kind.
struct ImageModel {
  std::shared_ptr<torch::nn::Module> module;
  /// Images n × 3 × h × w → logits n × classes. states, unless it is null, receives the outputs of the
  /// blocks, and last the means over the positions, which the classifier reads.
  std::function<torch::Tensor(const torch::Tensor&, std::vector<torch::Tensor>* states)> forward;
};

/// Images of the archive, which several tasks may share. A part that was not requested is empty.
struct ImageData {
  data::LabelledImages training, evaluation;
};
std::shared_ptr<const ImageData> read_image_data(const ImageTaskOptions& options, bool training,
                                                 const Context& context = Context{});

/// Classes of the network for such images. Throws invalid_argument for options.classes below those of the
/// images.
std::int64_t network_classes(const ImageTaskOptions& options, const ImageData& data);

/// Its model is the network with the classes of the archive. Batches have images shifted by up to
/// crop_padding pixels and mirrored. evaluate() returns "accuracy", the fraction of correctly classified test
/// images, and "loss", the mean cross-entropy.
class ImageTask : public train::Task {
 public:
  /// Seeds LibTorch's generator and draws the weights, or loads them. Throws invalid_argument for options out
  /// of range, splits with different classes and labels that the network does not have, and the errors of
  /// load_weights.
  ImageTask(const ImageTaskOptions& options, std::shared_ptr<const ImageData> data);

  torch::nn::Module& model() override { return *model_.module; }
  std::int64_t examples() const override { return data_->training.size(); }
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
                     std::int64_t first) const override;
  torch::Tensor forward(const torch::Tensor& inputs) override;
  train::Outputs forward_with_states(const torch::Tensor& inputs) override;
  std::map<std::string, double> evaluate(const Context& context = Context{}) override;

  const std::shared_ptr<const ImageData>& data() const { return data_; }

 private:
  ImageTaskOptions options_;
  std::shared_ptr<const ImageData> data_;
  ImageModel model_;
};

}  // namespace parsimony::models
