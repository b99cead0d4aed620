// Residual networks on labelled images, as a task to train.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/labelled_images.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {

/// Mean and standard deviation of the colours that images are brought to 0 and 1 with.
enum class Normalization {
  imagenet,  ///< what the published weights of ResNet-20 to 56 were trained with, on CIFAR-10 too
  cifar10
};

constexpr auto names_of(Normalization) {
  using enum Normalization;
  return enum_names<Normalization>({{imagenet, "imagenet"}, {cifar10, "cifar10"}});
}

struct ImageTaskOptions {
  std::filesystem::path archive{};    ///< of JPEGs, see data::read_labelled_images
  std::string train_split = "train";  ///< folder of the images that are trained on
  std::string test_split = "test";    ///< and of those that the network is judged by
  int depth = 20;                     ///< of the ResNet
  int activation_bits = 0;            ///< of the integers that layers read; 0: floats
  std::filesystem::path weights{};    ///< that it begins with, safetensors; empty: drawn by seed
  Normalization normalization = Normalization::imagenet;
  std::int64_t crop_padding = 4;  ///< black pixels around an image of which one of its size is cut
  bool flip = true;               ///< every second image, left to right
  std::uint64_t seed = 0;         ///< of the weights
};

template <OptionsOf<ImageTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"archive", "zip of JPEGs, split/class/name.jpg"}, options.archive);
  visit(Field{"train_split", "folder of the images to train on"}, options.train_split);
  visit(Field{"test_split", "folder of the images to judge by"}, options.test_split);
  visit(Field{"depth", "layers of the ResNet, 6 n + 2", 8, 1202}, options.depth);
  visit(Field{"activation_bits", "of the integers that layers read, 2 to 8; 0: floats", 0, 8},
        options.activation_bits);
  visit(Field{"weights", "safetensors file to begin with, empty: drawn by seed"}, options.weights);
  visit(Field{"normalization", "mean and deviation of the colours"}, options.normalization);
  visit(Field{"crop_padding", "pixels that a crop may be off by", 0, 1024}, options.crop_padding);
  visit(Field{"flip", "every second image left to right"}, options.flip);
  visit(Field{"seed", "seed of the weights"}, options.seed);
}

/// What is read of the archive, for several tasks. A part that is not asked for is empty.
struct ImageData {
  data::LabelledImages training, evaluation;
};
std::shared_ptr<const ImageData> read_image_data(const ImageTaskOptions& options, bool training,
                                                 const Context& context = Context{});

/// evaluate: "accuracy", the fraction of the test images that is classified right, and "loss", the mean
/// cross-entropy. Batches are images moved by up to crop_padding pixels and flipped. Its model is a ResNet of
/// as many classes as the archive has.
class ImageTask : public train::Task {
 public:
  /// Throws invalid_argument for options out of range and splits of other classes; as load_weights does.
  /// Draws weights by LibTorch's generator, which is seeded.
  ImageTask(const ImageTaskOptions& options, std::shared_ptr<const ImageData> data);

  torch::nn::Module& model() override { return *model_; }
  std::int64_t examples() const override { return data_->training.size(); }
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed,
                     std::int64_t step) const override;
  torch::Tensor forward(const torch::Tensor& inputs) override;
  std::map<std::string, double> evaluate(const Context& context = Context{}) override;

  const std::shared_ptr<const ImageData>& data() const { return data_; }

 private:
  ImageTaskOptions options_;
  std::shared_ptr<const ImageData> data_;
  std::shared_ptr<ResNet> model_;
};

}  // namespace parsimony::models
