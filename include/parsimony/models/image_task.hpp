// The task of classifying labelled images with a residual network.
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

/// Mean and standard deviation of the colours, by which images are normalized.
enum class Normalization {
  imagenet,  ///< used for the published weights of ResNet-20 to 56, on CIFAR-10 too
  cifar10
};

constexpr auto names_of(Normalization) {
  using enum Normalization;
  return enum_names<Normalization>({{imagenet, "imagenet"}, {cifar10, "cifar10"}});
}

struct ImageTaskOptions {
  std::filesystem::path archive{};    ///< zip of JPEGs, see data::read_labelled_images
  std::string train_split = "train";  ///< folder of the training images
  std::string test_split = "test";    ///< folder of the evaluation images
  int depth = 20;                     ///< layers of the ResNet, 6 n + 2
  int activation_bits = 0;            ///< bits of the integers that layers read; 0: floats
  std::filesystem::path weights{};    ///< initial weights, a safetensors file; empty: random by seed
  Normalization normalization = Normalization::imagenet;
  std::int64_t crop_padding = 4;  ///< black border in pixels from which a crop of the original size is cut
  bool flip = true;               ///< mirror every second image
  std::uint64_t seed = 0;         ///< seed of the weights
};

template <OptionsOf<ImageTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"archive", "zip of JPEGs, split/class/name.jpg"}, options.archive);
  visit(Field{"train_split", "folder of the training images"}, options.train_split);
  visit(Field{"test_split", "folder of the evaluation images"}, options.test_split);
  visit(Field{"depth", "layers of the ResNet, 6 n + 2", 8, 1202}, options.depth);
  visit(Field{"activation_bits", "bits of the integers that layers read, 2 to 8; 0: floats", 0, 8},
        options.activation_bits);
  visit(Field{"weights", "safetensors file with the initial weights; empty: random by seed"},
        options.weights);
  visit(Field{"normalization", "mean and standard deviation of the colours"}, options.normalization);
  visit(Field{"crop_padding", "largest shift of a training image in pixels", 0, 1024}, options.crop_padding);
  visit(Field{"flip", "mirror every second image"}, options.flip);
  visit(Field{"seed", "seed of the weights"}, options.seed);
}

/// Images of the archive, which several tasks may share. A part that was not requested is empty.
struct ImageData {
  data::LabelledImages training, evaluation;
};
std::shared_ptr<const ImageData> read_image_data(const ImageTaskOptions& options, bool training,
                                                 const Context& context = Context{});

/// Its model is a ResNet with the classes of the archive. Batches have images shifted by up to crop_padding
/// pixels and mirrored. evaluate() returns "accuracy", the fraction of correctly classified test images, and
/// "loss", the mean cross-entropy.
class ImageTask : public train::Task {
 public:
  /// Seeds LibTorch's generator and draws the weights, or loads them. Throws invalid_argument for options out
  /// of range and splits with different classes, and the errors of load_weights.
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
